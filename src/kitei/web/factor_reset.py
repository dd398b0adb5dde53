"""The page on which an editor takes the lost factors of somebody else away."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kitei.foundation import transactions
from kitei.foundation.text import UserError
from kitei.trust.access import factors as operations
from kitei.trust.access.requests import actor_of
from kitei.trust.accounts import factors


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, identity: uuid.UUID) -> HttpResponse:
    """Say what will happen to whom; on POST do it."""
    actor = actor_of(request)
    user = operations.account(actor=actor, identity=identity)
    if user is None:
        raise Http404
    error = ""
    if request.method == "POST":
        try:
            transactions.durable(lambda: operations.reset_factors(actor=actor, identity=identity))
        except UserError as failed:
            error = str(failed)
        else:
            messages.success(
                request, _("本人確認の手段をすべて解除しました。本人に、新しい手段を設定するよう伝えてください。")
            )
            return redirect("factor-reset", identity=identity)
    context = {"person": user, "count": len(factors.of(user)), "error": error}
    return render(request, "web/factor_reset.html", context, status=422 if error else 200)
