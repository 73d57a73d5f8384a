// Tables that are wider than the screen scroll; a keyboard reaches them, too.
document.addEventListener("DOMContentLoaded", () => {
  const reach = () =>
    document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])").forEach((wrap) => wrap.setAttribute("tabindex", "0"));
  reach();
  new MutationObserver(reach).observe(document.body, { childList: true, subtree: true });
});
