// Which pages a search finds first: what readers read, then what the library's names are. And from disk, where no page may be
// fetched, results come without their summaries. Sphinx puts this behind its own search (`html_search_scorer`).
Scorer.score = ([page, , , , score]) => score - (page.startsWith("book/api/") ? 1000 : 0);
DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = location.protocol !== "file:";
