"""Addresses of the access pages."""

from django.urls import path

from kitei.web.access import asking, emergencies, entries, places, reviews, why

urlpatterns = [
    path("", places.tree, name="access-folders"),
    path("folders/<uuid:folder>/", places.folder, name="access-folder"),
    path("entries/new/", entries.new, name="access-new"),
    path("entries/<str:effect>/<uuid:bundle>/withdraw/", entries.withdraw, name="access-withdraw"),
    path("why/", why.page, name="access-why"),
    path("reach/", why.reach, name="access-reach"),
    path("requests/", asking.listing, name="access-requests"),
    path("requests/new/", asking.ask, name="access-ask"),
    path("requests/<uuid:identity>/", asking.answer, name="access-answer"),
    path("emergency/", emergencies.page, name="access-emergency"),
    path("emergency/<uuid:identity>/", emergencies.review, name="access-emergency-review"),
    path("review/", reviews.page, name="access-reviews"),
    path("review/<uuid:bundle>/", reviews.decide, name="access-review"),
]
