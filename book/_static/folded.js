// A link to something folded unfolds it, in browsers that do not do so by themselves too; on paper nothing is folded.
(() => {
  function unfold() {
    const target = document.getElementById(location.hash.slice(1));
    const shut = [];
    for (let fold = target?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open || shut.push(fold);
    shut.forEach((fold) => (fold.open = true));
    if (shut.length) target.scrollIntoView();
  }
  window.addEventListener("hashchange", unfold);
  window.addEventListener("beforeprint", () => document.querySelectorAll(".bd-article details:not(.chart-data)").forEach((fold) => (fold.open = true)));
  document.addEventListener("DOMContentLoaded", unfold);
})();
