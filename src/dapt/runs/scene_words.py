"""Words for backgrounds, from which ``dapt.words=auto`` chooses those that fit the data.

Most are names of the scene and "stuff" categories of COCO-Stuff (Caesar et al., CVPR 2018), ADE20K (Zhou et al., CVPR
2017) and Places (Zhou et al., TPAMI 2018), in plain words; those of the released DAPT code are among them.
"""

from __future__ import annotations

from dapt.dapt_options import BACKGROUND_WORDS

_LAND = """
field meadow lawn bush hedge flowers leaves branches plants moss straw forest woods jungle bamboo swamp desert sand
gravel mud dirt soil stones pebbles cliff cave canyon hill volcano snow ice glacier farmland orchard garden park
"""
_WATER = "beach coast island pond stream waterfall waves coral puddle harbor pier fountain shallows foam"
_SKY = "fog mist smoke sunset horizon stars darkness rain sunlight"
_TOWN = """
city town village skyscraper tower castle church temple ruins barn garage bus_stop gas_station parking_lot pavement
sidewalk crosswalk path stairs railing fence gate brick_wall stone_wall wooden_wall concrete roof window door banner
billboard playground stadium court track runway airport tunnel railway_station platform construction_site market shop
"""
_INDOORS = """
room kitchen bathroom bedroom living_room office classroom library laboratory workshop warehouse gym restaurant bar
museum stage hallway ceiling floor wooden_floor tiles carpet rug curtain blinds shelf cupboard counter desk bench
sofa bed pillow blanket cloth lamp mirror cardboard paper plate bowl basket crowd people
"""

SCENE_WORDS: tuple[str, ...] = tuple(
    dict.fromkeys(
        word.replace("_", " ")
        for word in (
            *BACKGROUND_WORDS,
            *(part for block in (_LAND, _WATER, _SKY, _TOWN, _INDOORS) for part in block.split()),
        )
    )
)
