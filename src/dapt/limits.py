"""Ceilings for what comes from elsewhere: how much of it is read at most, each with the reason of its number.

docs/limits.md says the same for users; a test compares the two.
"""

from __future__ import annotations

KIB, MIB, GIB = 2**10, 2**20, 2**30

# Pictures. A decoded pixel takes 4 bytes, 7 to 10 while it becomes a tensor.
MAX_MEGAPIXELS = 120.0  # phones write 50 and 108 million pixels; one picture of 120 takes about 1 GB for a moment
DRAFT_TIMES = 2  # JPEGs of up to twice the limit (200 million: phones) are read reduced; progressive ones take 1.4 GB
LARGE_PIXELS = 2**24  # above, memory is given back to the system before the next one, and copied in pieces
PIXELS_AT_A_TIME = 100_000_000  # in one process: eight photos of 12 million pixels in threads, or one large picture

# Downloads.
DOWNLOAD_LEFT = GIB  # bytes of the disk that one of unsaid length leaves free; of a said length is asked before

# Tables and lists. What is parsed takes ten to twenty times its size in memory.
CSV_BYTES = GIB  # an index of the 14 million images of ImageNet-21k has 0.9 GB
CSV_COLUMNS = 1000  # CUB-200 has 312 attributes per image, the most that is in use
CSV_CELLS = 50_000_000  # rows may leave columns out, so 1000 columns would blow up a small file; 2 GB of memory
CSV_FIELD = 131_072  # characters in one field; Python's own limit
LIST_BYTES = 256 * MIB  # JSON split files and text lists; the split file of all of ImageNet has 140 MB
ANNOTATION_BYTES = GIB  # one JSON or XML file of an export; COCO's own, of train2017, has 448 MB
PICKLE_BYTES = 64 * MIB  # the largest cache in use, ImageNet with 16 shots, has about 3 MB
PICKLE_OBJECTS = 1_000_000  # lists, dicts and images of a pickle; ImageNet with 16 shots has 40,000

# Folders.
FOLDER_DEPTH = 64  # folders within folders, as in archives; data sets in use have up to ten

# Archives. Photographs do not get smaller by packing, lists and label maps become a tenth to a fiftieth.
ARCHIVE_RATIO = 100  # unpacked to packed bytes, over the whole archive; deflate alone reaches 1000
ARCHIVE_ALWAYS = 64 * MIB  # may come out of any archive: small ones may consist of lists
ARCHIVE_ANNOUNCED = 10  # times the size of the download that the catalog tells
ARCHIVE_MEMBERS = 2_000_000  # ImageNet has 1.4 million files; an entry takes about 1 kB of memory
ARCHIVE_MEMBERS_PER_IMAGE = 20  # of those the catalog counts: archives hold other splits, masks and annotations too
ARCHIVE_MEMBERS_ALWAYS = 10_000
ARCHIVE_HEADER = 64 * KIB  # bytes that describe one entry of a tar; a path has 4096 at most
ARCHIVE_SHARED_KEYS = 100  # values that a tar sets for all its entries; archives in use have up to three
ARCHIVE_DIRECTORY = 256 * MIB  # bytes of a zip's table of contents; that of ImageNet has 165 MB
ARCHIVE_DEPTH = 64  # folders within folders
