// Which words of two queries differ: the longest common sequence of words, case and spaces aside.

function sqlWords(sql) {
  return sql.match(/'(?:[^']|'')*'|"[^"]*"|`[^`]*`|[A-Za-z_][\w.]*|\d+(?:\.\d+)?|<>|<=|>=|!=|\S/g) || [];
}

function plainWord(word) {
  return word[0] === "'" ? word : word.toLowerCase();
}

// [[kind, word], ...] with kind "same", "added" (in the answer only) or "removed" (in the reference only).
function differences(reference, answer) {
  const first = sqlWords(reference), second = sqlWords(answer);
  if (first.length * second.length > 4e6) return second.map((word) => ["same", word]);
  const a = first.map(plainWord), b = second.map(plainWord), width = b.length + 1;
  const length = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      length[i * width + j] = a[i] === b[j] ? length[(i + 1) * width + j + 1] + 1
        : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
    }
  }
  const found = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { found.push(["same", second[j]]); i++; j++; }
    else if (i < a.length && (j === b.length || length[(i + 1) * width + j] >= length[i * width + j + 1])) found.push(["removed", first[i++]]);
    else found.push(["added", second[j++]]);
  }
  return found;
}

// The answer with marks, as <ins> and <del>; neighbours of one kind share a mark. What the answer holds stands as it was
// written, its line breaks included.
function markedSql(reference, answer) {
  const code = document.createElement("code");
  let mark = null, kind = "", read = 0;
  for (const [next, word] of differences(reference, answer)) {
    const removed = next === "removed", start = removed ? read : answer.indexOf(word, read);
    const between = answer.slice(read, start);
    if (next !== kind) {
      if (kind === "removed" && !between) mark.append(" "); // a mark brings its own space, the answer keeps its own
      if (!removed) code.append(between);
      const space = removed && mark ? " " : "";
      kind = next;
      mark = document.createElement({ same: "span", added: "ins", removed: "del" }[kind]);
      mark.append(space);
      code.append(mark);
    } else mark.append(removed ? " " : between);
    mark.append(word);
    if (!removed) read = start + word.length;
  }
  return code;
}
