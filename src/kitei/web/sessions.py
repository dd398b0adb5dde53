"""Whether a log-in still counts, asked on every request: not ended, not idle, its person still there, in the same offices."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase

from kitei.foundation import transactions
from kitei.trust.access.rule import Actor, roles_of
from kitei.trust.accounts import sessions
from kitei.trust.accounts.models import AccountSession, User
from kitei.web.accounts import leaving

GetResponse = Callable[[HttpRequest], HttpResponseBase]
_WORKER = ("worker", "accounts")


class LoginsMiddleware:
    """Lets a request go on as nobody's when its log-in ended. Stands right behind Django's own authentication.

    Three questions to the database: the log-in itself, the person's last day, and the memberships, which the access rule
    then does not ask again (``Actor.memo``).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Set ``request.login`` and go on; without a log-in that counts, as a stranger."""
        user = request.user
        if user.is_authenticated:
            login = self._still_counts(request, user)
            if login is None:
                request.session.flush()
                request.user = AnonymousUser()
            request.login = login  # type: ignore[attr-defined]  # read by the own page
        before = sessions.current(request.session)
        response = self.get_response(request)
        if request.user.is_authenticated and sessions.current(request.session) != before:
            # Just logged in: the offices held now, or a dismissal before the next request would go unseen.
            fresh = sessions.find(request.session, request.user)
            if fresh is not None:
                sessions.touch(fresh, roles=roles_of(actor_for(request, request.user)))
        return response

    def _still_counts(self, request: HttpRequest, user: User) -> AccountSession | None:
        login = sessions.find(request.session, user)
        if login is None:
            return None
        if leaving.has_left(user):
            transactions.durable(lambda: leaving.close(user=user))
            return None
        if sessions.touch(login, roles=roles_of(actor_for(request, user))):
            return login
        decision = {"allowed": True, "reasons": ["follows:appointment"]}
        transactions.durable(lambda: sessions.end(user=user, actor=_WORKER, why="dismissed", decision=decision))
        return None


def actor_for(request: HttpRequest, user: User) -> Actor:
    """Return who acts in this request for an account; asked twice, the same, so that memberships are read once."""
    known: Actor | None = getattr(request, "known_actor", None)
    if known is None or known.id != str(user.pk):
        known = Actor(
            kind="member",
            id=str(user.pk),
            organization=user.organization,
            label=user.name,
            principal=user.principal,
            administrator=user.is_administrator,
            active=user.is_active,
            memo={},
        )
        request.known_actor = known  # type: ignore[attr-defined]
    return known
