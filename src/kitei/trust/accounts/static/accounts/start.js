// Pass words: takes mail and code from behind the # of the invitation's link, and shows what was typed.
(() => {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of ["email", "code"]) {
    const field = document.querySelector(`main [name=${name}]`);
    if (field && !field.value && given.get(name)) field.value = given.get(name);
  }
  // The code must not stay in the address bar or in the history.
  if (location.hash) history.replaceState(null, "", location.pathname);
  const button = document.querySelector("[data-show-passwords]");
  const fields = document.querySelectorAll("main input[type=password]");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const show = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(show));
    fields.forEach((field) => { field.type = show ? "text" : "password"; });
  });
})();
