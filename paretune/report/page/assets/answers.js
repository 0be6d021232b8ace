// One question in full: what each variant answered, beside the reference.

function folded(words, text, code = true) {
  return make("details", {}, make("summary", {}, words), make("pre", {}, code ? make("code", {}, text) : text));
}

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

function sqlAnswers(row, variants, mark) {
  const legend = make("p", { class: "legend" }, say("differs from the reference"), ": ",
    make("ins", {}, say("not in the reference")), " ", make("del", {}, say("only in the reference")));
  const parts = row.answers.map((answer, at) => sqlAnswer(row, answer, variants[at], mark(row, at), row.results && row.results.answers[at]));
  return [
    make("section", { class: "answer reference" }, make("h3", {}, say("reference SQL")), make("pre", {}, make("code", {}, row.gold)),
      row.results ? resultTable(row.results.gold, true) : null),
    legend, ...parts, folded(say("prompt"), row.prompt()),
  ];
}

function sqlAnswer(row, [outcome, error, message, sql, text, bothEmpty, tokens, finish], name, sign, result) {
  const facts = [say(`outcome:${outcome}`)];
  if (error && error !== outcome) facts.push(say(`class:${error}`));
  if (bothEmpty) facts.push(say("both results empty"));
  if (tokens !== null) facts.push(say("{count} tokens", { count: tokens }));
  if (finish === "length") facts.push(say("cut at the token limit"));
  const same = sql && differences(row.gold, sql).every(([kind]) => kind === "same");
  const body = !sql ? make("p", {}, say("no SQL was found in the answer"))
    : make("pre", {}, same ? make("code", {}, sql) : markedSql(row.gold, sql));
  return make("section", { class: "answer" },
    make("h3", {}, name, " ", sign, make("span", { class: "facts-line" }, facts.join(" · "))),
    message ? make("p", { class: "reason" }, `${say("reason")}: ${row.explained(message)}`) : null,
    body,
    same ? make("p", { class: "about" }, say("the same text as the reference")) : null,
    result ? resultTable(result, outcome !== "correct") : null,
    text === null ? null : folded(say("raw answer"), text));
}

function choiceAnswers(row, variants, method) {
  const decimal = (value) => value.toFixed(2).replace(".", settings.decimal_marks[language]);
  const head = make("tr", {}, ...[say("option"), ...variants].map((name) => make("th", { scope: "col" }, name)));
  const lines = row.options.map((option, at) => {
    const cells = row.answers.map((given) => {
      if (!given) return make("td", {}, "–");
      const [right, predicted, scores] = given;
      const chosen = predicted === at;
      const figure = scores.length > at ? decimal(scores[at]) : chosen ? "" : "–";
      const sign = chosen ? make("span", { class: `mark ${right ? "right" : "wrong"}` }, right ? "✓ " : "✗ ", make("span", { class: "unseen" }, say("chosen"))) : null;
      return make("td", chosen ? { class: "chosen" } : {}, sign, figure);
    });
    const isRight = at === row.answer;
    return make("tr", isRight ? { class: "right-option" } : {}, make("th", { scope: "row" }, `${String.fromCharCode(65 + at)}. ${option}`,
      isRight ? make("span", { class: "about" }, say("right option")) : null), ...cells);
  });
  const table = make("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": say("option") },
    make("table", { class: "options" }, make("thead", {}, head), make("tbody", {}, ...lines)));
  const notes = [table];
  if (method === "letter") notes.push(make("p", { class: "notes" }, say("natural logarithm of the probability; the highest is chosen")));
  if (method === "cloze") notes.push(make("p", { class: "notes" }, say("natural logarithm of the probability; the highest for its length in bytes is chosen")));
  row.answers.forEach((given, at) => {
    if (given && given[3] !== null) notes.push(make("p", { class: "notes" }, `${variants[at]}: ${say("probability of the letters together: {mass}", { mass: decimal(given[3]) })}`));
    if (given && given[4]) notes.push(folded(`${variants[at]}: ${say("raw answer")}`, given[4]));
  });
  return notes;
}
