// What the theme leaves open for readers without eyes or mouse: a name of the search; tables that scroll are reached by a keyboard.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  const reach = () =>
    document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])").forEach((wrap) => wrap.setAttribute("tabindex", "0"));
  reach();
  new MutationObserver(reach).observe(document.body, { childList: true, subtree: true });
});
