"""The two windows every page is looked at in."""

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
