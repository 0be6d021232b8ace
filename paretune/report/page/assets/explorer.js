// All questions of all variants: filters, two variants against each other, a list in pages, each question in full.

const settings = JSON.parse(document.getElementById("settings").textContent);
const PER_PAGE = 50, TYPING_MS = 120;
const FLIPS = {
  gained: (before, after) => !before && after,
  lost: (before, after) => before && !after,
  changed: (before, after) => before !== after,
  kept: (before, after) => before && after,
  never: (before, after) => !before && !after,
};
const FLIP_WORDS = { gained: "newly right", lost: "no longer right", changed: "any change",
  kept: "right before and after", never: "wrong before and after" };

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

// Straight through the decompressor: blobs and responses would each wait for another process.
async function unpacked(id) {
  const letters = atob(document.getElementById(id).textContent), bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at += 1) bytes[at] = letters.charCodeAt(at);
  const stream = new DecompressionStream("gzip"), decoder = new TextDecoder();
  const writer = stream.writable.getWriter(), reader = stream.readable.getReader();
  const written = writer.write(bytes).then(() => writer.close());
  let text = "";
  for (let block = await reader.read(); !block.done; block = await reader.read()) text += decoder.decode(block.value, { stream: true });
  await written;
  return JSON.parse(text + decoder.decode());
}

// A file made from what the page holds; nothing is asked of anybody.
function download(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

// Pages opened from a file may not be given the clipboard; the selection's copy command then does.
async function copied(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch { /* the older way below */ }
  const field = make("textarea", { class: "unseen", readonly: true }), focused = document.activeElement;
  field.value = text;
  (document.querySelector("dialog[open]") || document.body).append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  focused?.focus();
  return done;
}

function copyButton(words, text, attributes = {}) {
  const button = make("button", { type: "button", ...attributes, onclick: async () => {
    button.textContent = say(await copied(text()) ? "Copied" : "Not copied");
    setTimeout(() => { button.textContent = say(words); }, 1500);
  } }, say(words));
  return button;
}

const unique = (values) => [...new Set(values)];
const shortName = (name) => settings.short[name] || name;

// What the explorer needs to know of one axis: rows with `right` by variant, and which filters they have. text() is what
// is searched, put together when it is first asked for.
const TARGET = settings.target.axis;
const HAS_TARGET = Boolean(document.getElementById(`data-${TARGET}`)); // logs of others have none
function searched(parts) {
  let text;
  return () => (text ??= parts().join("\n").toLowerCase());
}
const AXES = {
  [TARGET]: {
    rows(data) {
      return data.questions.map(([id, cluster, level, question, reference, beginning, rest], at) => {
        const answers = data.answers.map((column) => column[at]);
        return {
          title: `${id}`, group: cluster, level, question, reference, answers,
          prompt: () => data.beginnings[beginning] + rest,
          right: answers.map((answer) => answer[0] === "correct"),
          outcome: answers.map((answer) => answer[0]),
          error: answers.map((answer) => (answer[0] === "correct" ? null : answer[1] || "unclassified")),
          explained: (message) => data.wording[language]?.[message] || message,
          results: data.results && { reference: data.results.tables[data.results.gold[at]],
            answers: data.results.answers.map((column) => data.results.tables[column[at]]) },
          text: searched(() => [question, reference, ...answers.map((answer) => answer[3])]),
          given: (variant) => answers[variant][3],
        };
      });
    },
    groupWord: settings.target.cluster,
  },
  choice: {
    rows(data, state) {
      const columns = data.answers[state.method] || [];
      return data.questions.flatMap(([suite, id, subject, category, question, options, answer, prompts], at) => {
        const answers = columns.map((column) => column[at]);
        if (suite !== state.suite || !answers.some((given) => given)) return [];
        const asked = prompts && prompts[state.method];
        return [{
          title: id, group: subject, level: category, question, options, answer, answers,
          reference: options[answer],
          prompt: asked ? () => data.beginnings[asked[0]] + asked[1] : null,
          right: answers.map((given) => Boolean(given && given[0])),
          outcome: answers.map((given) => (given && given[0] ? "correct" : given && given[1] === null && state.method !== "logged" ? "no_answer" : "wrong")),
          error: answers.map(() => null),
          text: searched(() => [question, ...options]),
          given: (variant) => options[answers[variant]?.[1]] ?? "",
        }];
      });
    },
    groupWord: "subject",
  },
};

function makeExplorer(body, dialog) {
  const blank = { axis: HAS_TARGET ? TARGET : "choice", variant: "", against: "", flip: "", outcome: "", level: "", group: "", error: "", text: "",
    suite: "", method: "", page: 0, q: "" };
  let state = { ...blank };
  const loaded = {}, left = {}; // left: the state in which each axis was left
  const marks = new Map(); // to be copied
  let rows = [], shown = [], rowsOf = "", open = -1, failed = false, typing = 0;
  const results = make("div", { id: "results" });
  const status = make("p", { role: "status", class: "found" });
  const pair = make("div", { class: "pair" });

  async function load(axis) {
    if (loaded[axis] || failed) return;
    status.textContent = say("Unpacking…");
    try { loaded[axis] = await unpacked(`data-${axis}`); } catch { failed = true; }
  }

  // Names in older or shorter links are other names of the same filters.
  async function show(filters) {
    const { subject, category, [settings.target.cluster]: cluster, [settings.target.level]: level, ...rest } = filters;
    const known = Object.entries(rest).filter(([name]) => name in blank);
    state = { ...blank, ...Object.fromEntries(known), group: subject || cluster || filters.group || "",
      level: category || level || filters.level || "", page: Number(filters.page) || 0 };
    if (!(state.axis in AXES) || !HAS_TARGET) state.axis = blank.axis;
    await draw();
    const at = state.q ? shown.findIndex((row) => row.title === state.q) : -1;
    if (at >= 0) openQuestion(at);
    else if (dialog.open) dialog.close();
  }

  // The filters and the open question, as an address that leads back to them.
  function address() {
    const filters = Object.entries(state).filter(([name, value]) => value !== blank[name] || name === "axis");
    return `#explorer?${new URLSearchParams(filters)}`;
  }

  // Replaces the entry of the history, so that Back leads to where the reader came from.
  function remember() { history.replaceState(null, "", address()); }

  async function draw() {
    const axis = state.axis;
    await load(axis);
    if (axis !== state.axis) return;
    if (failed) {
      body.replaceChildren(make("p", {}, say("This browser cannot unpack the answers; open the page in a newer one, or read the lines beside it.")));
      return;
    }
    settleSuite();
    const wanted = [axis, state.suite, state.method].join("\n");
    if (wanted !== rowsOf) { rows = AXES[axis].rows(loaded[axis], state); rowsOf = wanted; }
    const focused = body.contains(document.activeElement) ? document.activeElement.id : "";
    body.replaceChildren(tabs(), filterForm(), make("div", { class: "found-line" }, status, leaving()), pair, results);
    list();
    if (focused) document.getElementById(focused)?.focus();
    if (dialog.open) openQuestion(open);
  }

  function settleSuite() {
    if (state.axis !== "choice") return;
    const data = loaded.choice, suites = unique(data.questions.map((question) => question[0]));
    if (!suites.includes(state.suite)) state.suite = suites[0];
    const methods = methodsOf(state.suite);
    if (!methods.includes(state.method)) state.method = methods[0];
  }

  function methodsOf(suite) {
    const data = loaded.choice, at = data.questions.findIndex((question) => question[0] === suite);
    return Object.keys(data.answers).filter((method) => data.answers[method].some((column) => column[at]));
  }

  // The other axis as it was left, with the variants that are looked at now.
  function turnTo(axis) {
    if (axis === state.axis) return;
    left[state.axis] = state;
    const { variant, against, flip } = state;
    state = { ...(left[axis] || blank), axis, variant, against, flip, q: "" };
    remember();
    draw();
  }

  function tabs() {
    if (!HAS_TARGET) return "";
    const button = (axis, words) => make("button", { type: "button", "aria-pressed": String(state.axis === axis),
      id: `axis-${axis}`, onclick: () => turnTo(axis) }, say(words));
    return make("div", { class: "tabs", role: "group", "aria-label": say("Questions") }, button(TARGET, "Target questions"), button("choice", "General questions"));
  }

  function choice(name, words, values, label = (value) => value) {
    const select = make("select", { id: `filter-${name}`, onchange: () => {
      state[name] = select.value;
      if (["suite", "method"].includes(name)) { state.group = state.level = ""; state.page = 0; remember(); draw(); } else refilter();
    } });
    if (!["suite", "method", "against"].includes(name)) select.append(make("option", { value: "" }, say("any")));
    for (const value of values) select.append(make("option", { value }, label(value)));
    select.value = state[name] || (name === "against" ? values[0] : "");
    if (name !== "against" && select.value !== state[name]) { state[name] = ""; select.value = ""; }
    return make("p", {}, make("label", { for: select.id }, say(words)), select);
  }

  function filterForm() {
    const data = loaded[state.axis], isTarget = state.axis === TARGET;
    const text = make("input", { id: "filter-text", type: "search", value: state.text, autocomplete: "off",
      oninput: () => { clearTimeout(typing); typing = setTimeout(() => { state.text = text.value; refilter(); }, TYPING_MS); } });
    const filters = [
      ...(isTarget ? [] : [choice("suite", "suite", unique(data.questions.map((question) => question[0]))),
        choice("method", "method", methodsOf(state.suite), say)]),
      choice("variant", "variant", data.variants),
      choice("against", "compared with", data.variants),
      choice("flip", "change", Object.keys(FLIPS), (name) => say(FLIP_WORDS[name])),
      choice("outcome", "outcome", unique(rows.flatMap((row) => row.outcome)), (name) => say(`outcome:${name}`)),
      isTarget ? choice("error", "reason", unique(rows.flatMap((row) => row.error)).filter(Boolean).sort(), (name) => say(`class:${name}`)) : null,
      choice("level", isTarget ? settings.target.level : "category", unique(rows.map((row) => row.level)), say),
      choice("group", AXES[state.axis].groupWord, unique(rows.map((row) => row.group)).sort(), groupName),
      make("p", { class: "wide" }, make("label", { for: "filter-text" }, say("text in question or answer")), text),
      make("p", { class: "clear" }, make("button", { type: "button", id: "clear", onclick: () => {
        state = { ...blank, axis: state.axis, suite: state.suite, method: state.method };
        remember();
        draw();
      } }, say("Clear"))),
    ];
    return make("form", { class: "filters", "aria-label": say("Filters"), onsubmit: (event) => event.preventDefault() }, ...filters.filter(Boolean));
  }

  // What can be carried away: an address, the questions that are shown.
  function leaving() {
    return make("div", { class: "leaving" },
      copyButton("Copy link", () => new URL(address(), location.href).href, { id: "copy-link" }),
      make("button", { type: "button", id: "export-csv", onclick: () => download(`${fileName()}.csv`, asCsv(), "text/csv") }, "CSV"),
      make("button", { type: "button", id: "export-jsonl", onclick: () => download(`${fileName()}.jsonl`, asJsonl(), "application/jsonl") }, "JSONL"));
  }

  function fileName() { return `${settings.experiment}-${state.axis}`.replace(/[^\w.@-]+/g, "-"); }

  function records() {
    const names = loaded[state.axis].variants;
    return shown.map((row) => ({
      ...(state.axis === TARGET ? {} : { suite: state.suite, method: state.method }),
      id: row.title, group: row.group, level: row.level, question: row.question, ...(row.options ? { options: row.options } : {}),
      reference: row.reference,
      answers: Object.fromEntries(names.map((name, at) => [name, row.answers[at] ? { outcome: row.outcome[at], answer: row.given(at) } : null])),
    }));
  }

  function asJsonl() { return records().map((record) => `${JSON.stringify(record)}\n`).join(""); }

  function asCsv() {
    const names = loaded[state.axis].variants;
    const quoted = (value) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
    const head = ["id", "group", "level", "question", "reference", ...names.flatMap((name) => [`${name} outcome`, `${name} answer`])];
    const lines = records().map((record) => [record.id, record.group, record.level, record.question, record.reference,
      ...names.flatMap((name) => [record.answers[name]?.outcome ?? "", record.answers[name]?.answer ?? ""])]);
    return [head, ...lines].map((cells) => `${cells.map((cell) => quoted(String(cell ?? ""))).join(",")}\r\n`).join("");
  }

  function refilter() { state.page = 0; remember(); list(); }

  function column(name) { return Math.max(0, loaded[state.axis].variants.indexOf(name)); }

  // Whether a row fits what is set; nothing is asked of a row that a cheaper filter has left out.
  function fitting(chosen, base) {
    const { level, group, outcome, error, variant } = state, text = state.text.toLowerCase();
    const flip = state.flip && FLIPS[state.flip];
    const wanted = !state.flip && !outcome && !error ? null
      : (row, at) => (!flip || ((at !== base || variant) && flip(row.right[base], row.right[at])))
        && (!state.flip || flip) && (!outcome || row.outcome[at] === outcome) && (!error || row.error[at] === error);
    return (row) => (!level || row.level === level) && (!group || row.group === group)
      && (!wanted || chosen.some((at) => wanted(row, at))) && (!text || row.text().includes(text));
  }

  function list() {
    const data = loaded[state.axis], base = column(state.against);
    const chosen = state.variant ? [column(state.variant)] : data.variants.map((_, at) => at);
    shown = rows.filter(fitting(chosen, base));
    status.textContent = say("{shown} of {all} questions", { shown: shown.length, all: rows.length });
    showPair(base);
    const pages = Math.max(1, Math.ceil(shown.length / PER_PAGE));
    state.page = Math.min(state.page, pages - 1);
    const start = state.page * PER_PAGE;
    if (!shown.length) { results.replaceChildren(make("p", {}, say("No question fits these filters."))); return; }
    const heads = data.variants.map((name) => make("th", { scope: "col", title: name, "aria-label": name }, shortName(name)));
    const head = make("tr", {}, make("th", { scope: "col" }, say("question")), ...heads);
    const lines = shown.slice(start, start + PER_PAGE).map((row, at) => line(row, start + at, base));
    const table = make("table", { class: "answers" }, make("caption", { class: "unseen" }, say("All questions and answers")),
      make("thead", {}, head), make("tbody", {}, ...lines));
    table.style.setProperty("--variants", data.variants.length);
    const box = make("div", { class: "scrolls", role: "region", "aria-label": say("Questions") }, table);
    results.replaceChildren(legend(data.variants), box, pages > 1 ? pager(pages) : "");
    markScrolling(results);
  }

  // Which names the short heads stand for.
  function legend(names) {
    const cut = names.filter((name) => shortName(name) !== name);
    if (!cut.length) return "";
    return make("dl", { class: "short-names" }, ...cut.map((name) => make("div", {}, make("dt", {}, shortName(name)), make("dd", {}, name))));
  }

  // How often two variants differ on all questions of the axis, each count a filter. Counts, no claim.
  function showPair(base) {
    const variant = state.variant ? column(state.variant) : -1, names = loaded[state.axis].variants;
    if (variant < 0 || variant === base) { pair.replaceChildren(); return; }
    const button = (flip) => {
      const count = rows.filter((row) => FLIPS[flip](row.right[base], row.right[variant])).length;
      return make("button", { type: "button", "aria-pressed": String(state.flip === flip), "data-flip": flip, onclick: () => {
        state.flip = state.flip === flip ? "" : flip;
        remember();
        draw();
      } }, `${count} ${say(FLIP_WORDS[flip])}`);
    };
    pair.replaceChildren(make("p", {}, say("{variant} against {base}, all questions:", { variant: names[variant], base: names[base] })),
      ...["gained", "lost", "kept", "never"].map(button));
  }

  function line(row, at, base) {
    const names = loaded[state.axis].variants;
    const about = [row.title, groupName(row.group), say(row.level)].filter(Boolean).join(" · ");
    const question = make("th", { scope: "row" },
      make("button", { type: "button", class: "open", "aria-haspopup": "dialog" }, row.question),
      make("span", { class: "about" }, about));
    const marks = row.right.map((_, variant) => make("td", { "data-variant": shortName(names[variant]) }, mark(row, variant, base)));
    return make("tr", { onclick: () => openQuestion(at) }, question, ...marks);
  }

  // Subjects are words; a cluster's name is a name.
  function groupName(name) { return state.axis === "choice" ? name.replaceAll("_", " ") : name; }

  // A sign, and the words for it: right, newly right, wrong, no longer right. One element, for there are hundreds.
  function mark(row, variant, base = column(state.against)) {
    if (!row.answers[variant]) return make("span", { class: "mark" }, "–");
    const right = row.right[variant], changed = variant !== base && right !== row.right[base];
    const kind = [language, row.outcome[variant], changed].join("\n");
    if (!marks.has(kind)) {
      const words = say(`outcome:${row.outcome[variant]}`) + (changed ? `, ${say(right ? "newly right" : "no longer right")}` : "");
      marks.set(kind, make("span", { class: `mark ${right ? "right" : "wrong"}${changed ? " changed" : ""}`, title: words,
        role: "img", "aria-label": words }, right ? "✓" : "✗"));
    }
    return marks.get(kind).cloneNode(true);
  }

  function pager(pages) {
    const turn = (by, words) => make("button", { type: "button", disabled: state.page + by < 0 || state.page + by >= pages,
      onclick: () => { state.page += by; remember(); list(); body.scrollIntoView(); } }, say(words));
    return make("div", { class: "pager" }, turn(-1, "Previous"), make("span", {}, say("page {page} of {pages}", { page: state.page + 1, pages })), turn(1, "Next"));
  }

  function openQuestion(at) {
    open = at;
    const row = shown[at], names = loaded[state.axis].variants;
    if (!row) { dialog.close(); return; }
    state.q = row.title;
    remember();
    const step = (by, words) => make("button", { type: "button", id: by < 0 ? "previous" : "next", disabled: !shown[at + by], onclick: () => openQuestion(at + by) }, say(words));
    const head = make("div", { class: "dialog-head" },
      make("h2", { id: "question-title" }, [row.title, groupName(row.group), say(row.level)].filter(Boolean).join(" · ")),
      make("div", { class: "switches" }, step(-1, "Previous"), step(1, "Next"),
        copyButton("Copy link", () => new URL(address(), location.href).href, { id: "copy-question" }),
        make("button", { type: "button", id: "close", onclick: () => dialog.close() }, say("Close"))));
    const first = [column(state.against), ...(state.variant ? [column(state.variant)] : [])];
    const answers = row.options ? choiceAnswers(row, names, state.method, mark) : targetAnswers(row, names, first, mark);
    const prompt = row.prompt ? folded(say("prompt"), row.prompt()) : null;
    const focused = dialog.contains(document.activeElement) ? document.activeElement.id : "";
    dialog.replaceChildren(head, make("p", { class: "asked" }, row.question), ...answers, ...(prompt ? [prompt] : []));
    if (!dialog.open) dialog.showModal();
    const again = focused && document.getElementById(focused);
    (again && !again.disabled ? again : dialog.querySelector("#close")).focus();
    dialog.scrollTop = 0;
    markScrolling(dialog);
  }

  // Back to the question that was read last, wherever the first one stood.
  dialog.addEventListener("close", () => {
    if (open < 0) return;
    state.q = "";
    const page = Math.floor(open / PER_PAGE);
    if (page !== state.page) { state.page = page; list(); }
    remember();
    const button = results.querySelectorAll(".open")[open - page * PER_PAGE];
    open = -1;
    button?.focus();
    button?.closest("tr").scrollIntoView({ block: "nearest" });
  });

  // What takes keys itself keeps them: fields, shortcuts of the browser, a box that scrolls sideways.
  function takesKeys(event) {
    const box = event.target.closest(".scrolls"), sideways = event.key.startsWith("Arrow");
    return event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.target.closest("input, select, textarea")
      || (sideways && box && box.scrollWidth > box.clientWidth + 1);
  }

  dialog.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, k: -1, j: 1 }[event.key];
    if (!by || takesKeys(event)) return;
    event.preventDefault();
    if (shown[open + by]) openQuestion(open + by);
  });
  body.addEventListener("keydown", (event) => {
    const by = { k: -1, j: 1 }[event.key], button = event.target.closest(".open");
    if (!by || !button || takesKeys(event)) return;
    const all = [...results.querySelectorAll(".open")];
    all[all.indexOf(button) + by]?.focus();
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  return { show, draw };
}
