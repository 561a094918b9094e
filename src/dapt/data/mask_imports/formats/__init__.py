"""One file per format that masks are imported from; each registers itself in `dapt.data.mask_imports.base.IMPORTS`."""
