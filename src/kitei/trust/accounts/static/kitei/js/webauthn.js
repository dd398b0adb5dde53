// Passkeys: a form marked data-passkey asks the server for options, the browser for the ceremony, and posts the answer.
"use strict";
(() => {
  const toBytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  };
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const known = (list) => (list || []).map((entry) => ({ ...entry, id: toBytes(entry.id) }));

  const create = async (options) => {
    const made = await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: toBytes(options.challenge),
        user: { ...options.user, id: toBytes(options.user.id) },
        excludeCredentials: known(options.excludeCredentials),
      },
    });
    return {
      id: made.id,
      rawId: toText(made.rawId),
      type: made.type,
      response: {
        clientDataJSON: toText(made.response.clientDataJSON),
        attestationObject: toText(made.response.attestationObject),
      },
      clientExtensionResults: {},
    };
  };

  const get = async (options) => {
    const shown = await navigator.credentials.get({
      publicKey: {
        ...options,
        challenge: toBytes(options.challenge),
        allowCredentials: known(options.allowCredentials),
      },
    });
    return {
      id: shown.id,
      rawId: toText(shown.rawId),
      type: shown.type,
      response: {
        clientDataJSON: toText(shown.response.clientDataJSON),
        authenticatorData: toText(shown.response.authenticatorData),
        signature: toText(shown.response.signature),
        userHandle: shown.response.userHandle ? toText(shown.response.userHandle) : null,
      },
      clientExtensionResults: {},
    };
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const said = form.querySelector("[data-passkey-error]");
    if (!window.PublicKeyCredential) {
      said.hidden = false;
      form.querySelector("button").disabled = true;
      continue;
    }
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      said.hidden = true;
      try {
        const answer = await fetch(form.dataset.begin, {
          method: "POST",
          headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
        });
        const { publicKey } = await answer.json();
        const given = form.dataset.passkey === "create" ? await create(publicKey) : await get(publicKey);
        form.elements.answer.value = JSON.stringify(given);
        form.submit();
      } catch {
        // Closed by the person, no passkey here, or refused by the browser: it tells no more on purpose.
        delete form.dataset.sent;
        said.hidden = false;
        said.focus();
      }
    });
  }
})();
