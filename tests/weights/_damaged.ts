import { seededRandom } from "mammolab/base";

const strange = ["null", "-1", "1e999", "[]", "{}", '"x"', '"__proto__"', "true", "0.5", "9007199254740993", '""'];

/** JSON with one to three of its values replaced, or a letter of it. */
export function damaged(json: string, seed: number): string {
  const random = seededRandom(seed, "damaged");
  let text = json;
  for (let n = random.integer(3); n >= 0; n--) {
    const values = [
      ...text.matchAll(/"[^"]*"|-?\d[\d.e+-]*|true|false|null|\[[^[\]{}]*\]|\{[^[\]{}]*\}/g),
    ];
    const one = values[random.integer(Math.max(1, values.length))];
    if (!one || random.uniform() < 0.2) {
      const at = random.integer(text.length);
      text = text.slice(0, at) + String.fromCharCode(32 + random.integer(95)) + text.slice(at + 1);
    } else {
      text = text.slice(0, one.index) + strange[random.integer(strange.length)] + text.slice(one.index + one[0].length);
    }
  }
  return text;
}
