// One question in full: what each variant answered, beside the reference.

function folded(words, text, code = true) {
  return make("details", {}, make("summary", {}, words), make("pre", {}, code ? make("code", {}, text) : text));
}

// What a task adds to an answer. marked: the answer as an element that shows where it differs from the reference, null
// where it is the same; legend: what its marks mean; below: what stands under the reference or an answer.
const panel = { marked: (reference, answer) => (answer === reference ? null : make("code", {}, answer)), legend: () => null, below: () => null };

// Variants that wrote the same and were judged the same stand together; those named first come first.
function answerGroups(row, first) {
  const groups = new Map();
  const order = [...first, ...row.answers.keys()];
  for (const at of new Set(order)) {
    const [outcome, error, message, answer, text] = row.answers[at];
    const key = JSON.stringify([outcome, error, message, answer, text]);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(at);
  }
  return [...groups.values()];
}

function targetAnswers(row, variants, first, mark) {
  const parts = answerGroups(row, first).map((group) => targetAnswer(row, group, variants, mark));
  return [
    make("section", { class: "answer reference" }, make("h3", {}, say(settings.target.reference)), make("pre", {}, make("code", {}, row.reference)),
      row.results ? panel.below(row.results.reference, true) : null),
    ...[panel.legend()].filter(Boolean), ...parts,
  ];
}

function targetAnswer(row, group, variants, mark) {
  const [outcome, error, message, answer, text, marked, tokens, finish] = row.answers[group[0]];
  const result = row.results && row.results.answers[group[0]];
  const facts = [say(`outcome:${outcome}`)];
  if (error && error !== outcome) facts.push(say(`class:${error}`));
  if (marked) facts.push(say(settings.target.mark));
  if (tokens !== null && group.length === 1) facts.push(say("{count} tokens", { count: tokens }));
  if (finish === "length") facts.push(say("cut at the token limit"));
  const shown = answer ? panel.marked(row.reference, answer) : null, same = answer && !shown;
  const body = !answer ? make("p", {}, say(settings.target["no answer in the text"]))
    : make("pre", {}, same ? make("code", {}, answer) : shown);
  const names = group.flatMap((at, place) => [place ? ", " : "", make("span", { class: "who" }, variants[at]), "\u00a0", mark(row, at)]);
  return make("section", { class: "answer" },
    make("h3", {}, ...names, make("span", { class: "facts-line" }, facts.join(" · "))),
    message ? make("p", { class: "reason" }, `${say("to fix")}: ${row.explained(message)}`) : null,
    body,
    make("p", { class: "about" }, same ? make("span", {}, say("the same text as the reference")) : "", answer ? copyButton("Copy", () => answer, { class: "copy" }) : ""),
    result ? panel.below(result, outcome !== "correct") : null,
    text === null ? null : folded(say("raw answer"), text));
}

// A row per variant, a column per option. letter: the option's probability; cloze: its probability per byte, which
// decides; both from the logarithm that stands in the cell's title.
function choiceAnswers(row, variants, method, mark) {
  const percent = (share) => `${(100 * share).toFixed(share >= 0.1 ? 0 : 1).replace(".", settings.decimal_marks[language])}\u00a0%`;
  const letters = row.options.map((_, at) => String.fromCharCode(65 + at));
  const sizes = row.options.map((option) => Math.max(1, new TextEncoder().encode(option).length));
  const withMass = row.answers.some((given) => given && given[3] !== null);
  const options = make("ol", { class: "option-list" }, ...row.options.map((option, at) => make("li", at === row.answer ? { class: "right-option" } : {},
    `${letters[at]}. ${option}`, at === row.answer ? make("span", { class: "about" }, ` ${say("right option")}`) : null)));
  const head = make("tr", {}, make("th", { scope: "col" }, say("variant")), make("td", {}),
    ...letters.map((letter, at) => make("th", { scope: "col", class: at === row.answer ? "right-option" : "" }, letter)),
    withMass ? make("th", { scope: "col" }, say("probability on {letters}", { letters: `${letters[0]}–${letters.at(-1)}` })) : null);
  const lines = row.answers.map((given, variant) => make("tr", {}, make("th", { scope: "row" }, variants[variant]),
    make("td", {}, mark(row, variant)),
    ...letters.map((_, at) => {
      if (!given) return make("td", {}, "–");
      const [, predicted, scores] = given, chosen = predicted === at;
      if (scores.length <= at) return make("td", chosen ? { class: "chosen" } : {}, chosen ? say("chosen") : "–");
      const share = Math.exp(method === "cloze" ? scores[at] / sizes[at] : scores[at]);
      const bar = make("span", { class: "share", "aria-hidden": "true" });
      bar.style.setProperty("--share", Math.min(1, share));
      return make("td", { ...(chosen ? { class: "chosen" } : {}), title: `ln ${scores[at]}` }, bar, percent(share),
        chosen ? make("span", { class: "unseen" }, ` ${say("chosen")}`) : null);
    }),
    withMass ? make("td", {}, given && given[3] !== null ? percent(given[3]) : "–") : null));
  const table = make("div", { class: "scrolls", role: "region", "aria-label": say("option") },
    make("table", { class: "options" }, make("thead", {}, head), make("tbody", {}, ...lines)));
  const notes = [options, table];
  if (method === "letter") notes.push(make("p", { class: "notes" }, say("Probability of each letter; the highest is chosen.")));
  if (method === "cloze") notes.push(make("p", { class: "notes" }, say("Probability per byte of each option; the highest is chosen.")));
  row.answers.forEach((given, at) => { if (given && given[4]) notes.push(folded(`${variants[at]}: ${say("raw answer")}`, given[4])); });
  return notes;
}
