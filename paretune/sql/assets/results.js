// What SQL adds to an answer: marks where it differs from the reference, and the result of the query.

// What a query returned; "" where that is not known.
function resultTable(table, open) {
  if (!table) return "";
  const [columns, count, rows] = table;
  const words = count > rows.length ? say("result: first {shown} of {count} rows", { shown: rows.length, count })
    : say(count === 1 ? "result: 1 row" : "result: {count} rows", { count });
  if (!count) return make("p", { class: "about" }, words);
  const head = Array.from({ length: columns }, (_, at) => make("th", { scope: "col" }, say("column {number}", { number: at + 1 })));
  const lines = rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", cell === null ? { class: "null" } : {}, cell === null ? "NULL" : cell))));
  return make("details", { open }, make("summary", {}, words), make("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": words },
    make("table", { class: "result" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...lines))));
}

panel.marked = (reference, answer) => (differences(reference, answer).every(([kind]) => kind === "same") ? null : markedSql(reference, answer));
panel.legend = () => make("p", { class: "legend" }, say("differs from the reference"), ": ",
  make("ins", {}, say("not in the reference")), " ", make("del", {}, say("only in the reference")));
panel.below = resultTable;
