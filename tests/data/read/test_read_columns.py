"""Which columns mean what."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.read.columns import Columns, find_columns
from dapt.data.read.row_paths import Files
from dapt.data.read.table_text import parse_text
from dapt.errors import DataError


def columns(folder: Path, text: str) -> Columns:
    return find_columns(parse_text(text, folder / "x.csv"), Files(folder))


@pytest.mark.parametrize(
    ("text", "image", "label", "classname"),
    [
        ("image,label\na.png,0\n", "image", "label", None),
        ("Image,CLASSNAME\na.png,x\n", "Image", None, "CLASSNAME"),
        ("image,label\na.png,cat\n", "image", None, "label"),
        ("file_name,text,label\na.png,a photo,cat\n", "file_name", None, "label"),
        ("filename;class\na.png;cat\n", "filename", None, "class"),
        ("filepaths,labels,w\na.png,cat,1\n", "filepaths", None, "labels"),
        ("img,Species\na.png,cat\n", "img", None, "Species"),
        ("Width,ClassId,Path\n5,0,a.png\n", "Path", "ClassId", None),
        ("image_path,target\na.png,1\nb.png,0\n", "image_path", "target", None),
        ("path,class,class_id\na.png,cat,1\nb.png,dog,0\n", "path", "class_id", "class"),
        ("image,label,class\na.png,1,cat\nb.png,0,dog\n", "image", "label", "class"),
        ("image,label,class\na.png,1,cat\nb.png,0,cat\n", "image", "label", None),  # a coarser one: metadata
        ("image,classname,category\na.png,cat,x\n", "image", None, "classname"),
        ("picture_a,breed\na.png,pug\n", "picture_a", None, "breed"),
        ("image,fruit\na.png,pear\nb.png,fig\nc.png,fig\n", "image", None, "fruit"),
        ("id,file,label\n1,a.png,x\n2,b.png,y\n", "file", None, "label"),
        ("path,filename,label\na.png,a.png,x\n", "path", None, "label"),  # the same cells
        (",path,label\n0,a.png,x\n", "path", None, "label"),
        ("path,class\na.png,3\nb.png,7\n", "path", None, "class"),  # names that are numbers
    ],
)
def test_columns(tmp_path: Path, text: str, image: str, label: str | None, classname: str | None) -> None:
    found = columns(tmp_path, text)
    assert (found.image, found.label, found.classname) == (image, label, classname)


def test_names_without_extension_are_known_by_the_files(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    for name in ("f1.jpg", "f2.jpg"):
        (tmp_path / "train" / name).touch()
    assert columns(tmp_path, "number,breed\nf1,pug\nf2,husky\n").image == "number"
    assert columns(tmp_path, "size,id,breed\n5,f1,pug\n5,f2,husky\n").image == "id"


def test_columns_of_zero_and_one(tmp_path: Path) -> None:
    found = columns(tmp_path, "filename, cat, dog, note\na.png, 1, 0, x\nb.png, 0, 1, y\n")
    assert found.one_hot == ("cat", "dog")
    assert found.used == {"filename", "cat", "dog"}


def test_splits_and_masks_under_other_names(tmp_path: Path) -> None:
    text = "filepaths,labels,data set,mask_path\na.png,x,train,m/a.png\nb.png,x,test,\n"
    found = columns(tmp_path, text)
    assert (found.split, found.mask) == ("data set", "mask_path")
    assert columns(tmp_path, "image,label,set\na.png,0,blue\n").split is None


def test_what_is_not_usual_is_said(tmp_path: Path) -> None:
    assert columns(tmp_path, "Image,Label,Split\na.png,0,train\n").said == []
    said = columns(tmp_path, "file,class,subset\na.png,cat,train\n").said
    assert [any(name in sentence for sentence in said) for name in ("'file'", "'class'", "'subset'")] == [True] * 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("first,second,label\na.png,b.png,0\n", "several columns that may name the images: 'first', 'second'"),
        ("path,filename,label\na.png,b.png,x\n", "several columns that may name the images: 'path', 'filename'"),
        ("image,class,class_name\na.png,x,y\n", "several columns that may hold the classes: 'class', 'class_name'"),
        ("image,species,breed\na.png,x,y\n", "several columns that may hold the classes: 'species', 'breed'"),
        ("image,class,class_id\na.png,x,1\nb.png,x,0\n", "several columns .* 'class', 'class_id'"),
        ("image,width\na.png,5\nb.png,5\n", "neither a 'label' nor a 'classname'"),
        ("image,note\na.png,x\nb.png,y\n", "neither a 'label' nor a 'classname'"),
        ("what,label\na,0\n", "no 'image' column"),
        ("segmentation,label\na.png,0\n", "no 'image' column"),
        ("mask_path,label\na.png,0\n", "no 'image' column"),
        ('image,objects\na.png,"{""a"": 1}"\nb.png,"{""a"": 1}"\n', "neither a 'label' nor"),
        ("path,path,label\na.png,b.png,0\n", "has the column 'path' 2 times"),
        ("image,class,class\na.png,x,y\n", "has the column 'class' 2 times"),
    ],
)
def test_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        columns(tmp_path, text)
    assert caught.value.todo
