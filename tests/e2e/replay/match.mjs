// Whether what a server said is what was recorded. JSON is compared as JSON; ids and times that a
// server makes up are compared by their shape, and must be the same wherever they were the same.
const madeUpId = /^(?:[\w-]{21}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
/** Of a schedule. */
const shortId = /^[\w-]{9}$/;
const times = new Set(["timestamp", "ageMs", "createdAt", "time", "lastSeen"]);
const cut = /^(.*)\.\.\.\((\d+) chars\)$/s;
const stack = /^(?:\w*Error: )?(.*?)\n {4}at .*$/s;

export class Matcher {
  constructor(ignored = []) {
    this.ids = new Map(); // recorded → made up by the server
    this.ignored = new Set(ignored); // members of objects that don't count
  }

  /** Null, or how `actual` differs from what was `recorded`. */
  text(recorded, actual) {
    if (recorded === actual) return null;
    const parts = cut.exec(recorded);
    if (parts) {
      // The members of an object may come in another order.
      const same = actual.length === Number(parts[2]) && (parsed(actual) !== undefined || actual.startsWith(parts[1]));
      return same ? null : `${shown(actual)} (${actual.length} chars)`;
    }
    const [expected, got] = [parsed(recorded), parsed(actual)];
    if (expected === undefined || got === undefined) return shown(actual);
    const difference = this.value(expected, got, []);
    return difference && `${shown(actual)}, in which ${difference}`;
  }

  value(expected, got, path) {
    if (typeof expected === "string" && typeof got === "string") {
      return this.isSame(expected, got, path.at(-1) === "id") ? null : differs(expected, got, path);
    }
    if (typeof expected === "number" && typeof got === "number" && times.has(path.at(-1))) return null;
    if (Array.isArray(expected) && Array.isArray(got)) {
      if (expected.length !== got.length) return differs(expected, got, path);
      return first(expected.map((item, i) => this.value(item, got[i], [...path, i])));
    }
    if (isObject(expected) && isObject(got)) {
      const keys = new Set([...Object.keys(expected), ...Object.keys(got)]);
      return first([...keys].filter((key) => !this.ignored.has(key))
        .map((key) => this.value(expected[key], got[key], [...path, key])));
    }
    return Object.is(expected, got) ? null : differs(expected, got, path);
  }

  isSame(expected, got, isId) {
    if (expected === got) return true;
    // A recorded stack is an information leak of the original: its message is what counts.
    const [, message] = stack.exec(expected) ?? [];
    if (message !== undefined) return message === got;
    const isMadeUp = (text) => madeUpId.test(text) || (isId && shortId.test(text));
    if (!isMadeUp(expected) || !isMadeUp(got) || expected.length !== got.length) return false;
    if (!this.ids.has(expected)) this.ids.set(expected, got);
    return this.ids.get(expected) === got;
  }
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const first = (differences) => differences.find((difference) => difference !== null) ?? null;
const differs = (expected, got, path) =>
  `${path.join(".") || "the whole"} is ${shown(JSON.stringify(got) ?? "absent")}, not ${shown(JSON.stringify(expected) ?? "absent")}`;
export const shown = (text) => (text.length > 300 ? `${text.slice(0, 300)}…` : text);

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
