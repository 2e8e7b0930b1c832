// A table of one's own: rows of numbers, and in the last columns what is to be answered.

const numberOf = (cell) => (cell === "" ? NaN : Number(cell));

// { rows of cells, width, first: the line of the first row }. All cells but a row's last are numbers; an error says the line.
function readTable(text) {
  const lines = text.split(/\r?\n/).filter((line) => line.trim()), mark = [",", ";", "\t"].find((one) => lines[0]?.includes(one));
  if (!mark || lines.length < 2) throw new Error("a table has several lines, and commas, semicolons or tabs between its cells");
  const rows = lines.map((line) => line.split(mark).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1")));
  if (rows[0].slice(0, -1).some((cell) => Number.isNaN(numberOf(cell)))) rows.shift(); // names of the columns
  const width = rows[0]?.length, first = lines.length - rows.length + 1;
  rows.forEach((row, k) => {
    if (row.length !== width) throw new Error(`line ${k + first} has ${counted(row.length, "cell")}, the first ${width}`);
    const column = row.slice(0, -1).findIndex((cell) => !Number.isFinite(numberOf(cell)));
    if (column >= 0) throw new Error(`line ${k + first}, column ${column + 1}: "${row[column].slice(0, 20)}" is no number; the class stands last`);
  });
  return { rows, width, first };
}

const classesOfTable = ({ rows }) => [...new Set(rows.map((row) => row.at(-1)))].sort((a, b) => a - b || (a < b ? -1 : 1));

// The line of the first row whose last cell is no number; null where each is one.
function lineWithoutNumber({ rows, first }) {
  const k = rows.findIndex((row) => !Number.isFinite(numberOf(row.at(-1))));
  return k < 0 ? null : k + first;
}

// The first `count` columns as rows of numbers, each column made standard.
function inputsOfTable({ rows }, count) {
  const made = rows.map((row) => Float32Array.from(row.slice(0, count), numberOf));
  for (let column = 0; column < count; column++) {
    const average = mean(made.map((row) => row[column])), deviation = Math.sqrt(mean(made.map((row) => (row[column] - average) ** 2))) || 1;
    for (const row of made) row[column] = (row[column] - average) / deviation;
  }
  return made;
}
