"""Maps: hosts of a day in two dimensions, aligned over days, and what sets some of them apart.

Pure functions over arrays, and their files; nothing here knows a page. torch is never needed, and
openTSNE only where a map is made in the background.
"""
