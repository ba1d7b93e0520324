"""Keys that went wrong in somebody's pipeline."""

AWKWARD_KEYS = {
    "space": "foo name.jpg",
    "plus": "foo+name.jpg",
    "space and plus": "foo name+value.jpg",
    "percent": "100%.jpg",
    "looks encoded": "a%2Bb%20c.jpg",
    "unicode": "Straße/grüße 猫.jpg",
    "several scripts": "日本/фото 🏔.jpeg",
    "emoji": "🐈‍⬛.jpg",
    "decomposed": "u\u0308.jpg",
    "no extension": "no-suffix",
    "dot only": ".jpg",
    "leading slash": "/photo.jpg",
    "double slash": "a//b.jpg",
    "dots": "a/../b/./c.jpg",
    "query": "a?versionId=b&c=d#e.jpg",
    "quotes": 'it\'s "so" <here>.jpg',
    "backslash": "a\\b.jpg",
    "newline": "a\nb.jpg",
    "control character": "bell\x07.jpg",
    "quotes and shell": "'$(x)' & <y>;.jpg",
    "upper case": "PHOTO.JPEG",
    "1,024 bytes": "x" * 1020 + ".jpg",
    "1,024 bytes of two each": "ü" * 510 + ".jpg",
}

# What a terminal would obey: a window's title, a cleared screen, a line of somebody else's, and a
# name that reads backwards; and how it is printed.
TERMINAL_KEY = "a\x1b]0;owned\x07\x9b2J\n✓ forged\u202egpj.jpg"
SHOWN_AS_TEXT = r"a\x1b]0;owned\x07\x9b2J\n✓ forged\u202egpj.jpg"
