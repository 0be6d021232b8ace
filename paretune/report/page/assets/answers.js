// One question in full: what each variant answered, beside the reference.

function folded(words, text, code = true) {
  return make("details", {}, make("summary", {}, words), make("pre", {}, code ? make("code", {}, text) : text));
}

// What a task adds to an answer. marked: the answer as an element that shows where it differs from the reference, null
// where it is the same; legend: what its marks mean; below: what stands under the reference or an answer.
const panel = { marked: (reference, answer) => (answer === reference ? null : make("code", {}, answer)), legend: () => null, below: () => null };

function targetAnswers(row, variants, mark) {
  const parts = row.answers.map((answer, at) => targetAnswer(row, answer, variants[at], mark(row, at), row.results && row.results.answers[at]));
  return [
    make("section", { class: "answer reference" }, make("h3", {}, say(settings.target.reference)), make("pre", {}, make("code", {}, row.reference)),
      row.results ? panel.below(row.results.reference, true) : null),
    ...[panel.legend()].filter(Boolean), ...parts, folded(say("prompt"), row.prompt()),
  ];
}

function targetAnswer(row, [outcome, error, message, answer, text, marked, tokens, finish], name, sign, result) {
  const facts = [say(`outcome:${outcome}`)];
  if (error && error !== outcome) facts.push(say(`class:${error}`));
  if (marked) facts.push(say(settings.target.mark));
  if (tokens !== null) facts.push(say("{count} tokens", { count: tokens }));
  if (finish === "length") facts.push(say("cut at the token limit"));
  const shown = answer ? panel.marked(row.reference, answer) : null, same = answer && !shown;
  const body = !answer ? make("p", {}, say(settings.target["no answer in the text"]))
    : make("pre", {}, same ? make("code", {}, answer) : shown);
  return make("section", { class: "answer" },
    make("h3", {}, name, " ", sign, make("span", { class: "facts-line" }, facts.join(" · "))),
    message ? make("p", { class: "reason" }, `${say("reason")}: ${row.explained(message)}`) : null,
    body,
    same ? make("p", { class: "about" }, say("the same text as the reference")) : null,
    result ? panel.below(result, outcome !== "correct") : null,
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
