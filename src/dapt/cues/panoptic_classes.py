"""Which classes of panoptic data sets are things and which are stuff, by the names their annotations use.

COCO panoptic: Kirillov et al., CVPR 2019, arXiv 1801.00868. Cityscapes: Cordts et al., CVPR 2016, arXiv 1604.01685.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dapt.errors import ConfigError, did_you_mean

COCO_THINGS = tuple(
    (
        "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,"
        "parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,"
        "handbag,tie,suitcase,frisbee,"
        "skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,"
        "wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,"
        "chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,"
        "toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush"
    ).split(",")
)
COCO_STUFF = tuple(
    (
        "banner,blanket,bridge,cardboard,counter,curtain,door-stuff,floor-wood,flower,fruit,gravel,house,light,"
        "mirror-stuff,net,pillow,platform,playingfield,railroad,river,road,roof,sand,sea,shelf,snow,stairs,tent,towel,"
        "wall-brick,wall-stone,wall-tile,wall-wood,water-other,window-blind,window-other,tree-merged,fence-merged,"
        "ceiling-merged,sky-other-merged,cabinet-merged,table-merged,floor-other-merged,pavement-merged,mountain-merged,"
        "grass-merged,dirt-merged,paper-merged,food-other-merged,building-other-merged,rock-merged,wall-other-merged,"
        "rug-merged"
    ).split(",")
)
CITYSCAPES_THINGS = ("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle")
CITYSCAPES_STUFF = tuple(
    "road,sidewalk,building,wall,fence,pole,traffic light,traffic sign,vegetation,terrain,sky".split(",")
)

_ENDS = ("-merged", "-stuff", "-other")


def thing_labels(names: Mapping[int, str], given: Sequence[str], told: Iterable[int] | None) -> frozenset[int]:
    """The numbers of the classes that are things.

    Args:
        names: of all classes of the model. given: names that the user calls things, if any. told: the numbers of
            things, if the model's own files tell them.

    Raises:
        ConfigError: a given name is no class of the model, or nothing tells which classes are things.
    """
    if given:
        unknown = [name for name in given if name not in names.values()]
        if unknown:
            raise ConfigError(
                f"The model has no class '{unknown[0]}'.",
                where="cue.things",
                todo=did_you_mean(unknown[0], names.values()),
            )
        return frozenset(number for number, name in names.items() if name in given)
    if told is not None:
        return frozenset(told)
    for things, stuff in ((COCO_THINGS, COCO_STUFF), (CITYSCAPES_THINGS, CITYSCAPES_STUFF)):
        if set(names.values()) <= {*things, *stuff}:
            return frozenset(number for number, name in names.items() if name in things)
    some = ", ".join(list(names.values())[:5])
    raise ConfigError(
        f"Nothing tells which of the {len(names)} classes of the model ({some}, ...) are things, that is foreground.",
        todo="Name them: --set 'cue.things=[dog, cat]'.",
    )


def plain_name(name: str) -> str:
    """A class name as a word: ``sky-other-merged`` is sky, ``floor-wood`` is floor wood."""
    changed = True
    while changed:
        before = name
        for end in _ENDS:
            name = name.removesuffix(end)
        changed = name != before
    return name.replace("-", " ").replace("_", " ").strip()
