import { createHmac } from "node:crypto";
import type { Laterality, View } from "./mammogram.ts";

/** What a file's name tells of its film. Names lie more often than headers: what a format itself says comes first. */
export type NamedIdentity = {
  readonly laterality?: Laterality;
  readonly view?: View;
  /** A word that is the same for the films of one patient; it may be a person's name, and is hashed before it goes on. */
  readonly patient?: string;
};

/**
 * Reads side, view and patient from a file's name: `0_L-CC.png`, `P_00005_RIGHT_MLO.dcm`, `A_0001_1.LEFT_CC.png`, `rmlo.png`, and the
 * films of mini-MIAS (`mdb028.pgm`: odd is left, even is right, two in a row are one patient).
 *
 * @example
 * ```ts
 * import { identityFromName } from "mammolab/io";
 * import { assertEquals } from "@std/assert";
 * assertEquals(identityFromName("exam/0_L-CC.png"), { laterality: "L", view: "CC", patient: "0" });
 * assertEquals(identityFromName("mdb028.pgm"), { laterality: "R", view: "MLO", patient: "mini-MIAS 14" });
 * ```
 */
export function identityFromName(path: string): NamedIdentity {
  const name = (path.split(/[/\\]/).at(-1) ?? "").replace(/\.(dcm|dicom|png|pgm|pnm|jpe?g)$/i, "");
  for (const [pattern, read] of datasets) {
    const found = pattern.exec(name);
    if (found) return read(found.groups as Record<string, string>);
  }
  const words = [...name.matchAll(/[A-Za-z]+|\d+/g)].map(({ 0: text, index: at }) => ({
    at,
    word: text.toUpperCase(),
  }));
  const side = only(words.flatMap(({ word, at }) => some(sideOf(word), at)));
  const view = only(words.flatMap(({ word, at }) => some(viewOf(word), at)));
  // A lone L, R or ml may be anything; beside each other they are a side and a view.
  if (side && view) {
    // One word with a number before them; more words may hold a date or a number of the film, and would part one patient's films.
    const patient = /^([A-Za-z]{0,4}\d+)[-_. ]*$/.exec(name.slice(0, Math.min(side.at, view.at)))?.[1];
    return { laterality: side.value, view: view.value, ...(patient ? { patient } : {}) };
  }
  const longSide = only(words.flatMap(({ word, at }) => word.length > 3 ? some(sideOf(word), at) : []));
  // Not beside a digit: 1 of 20 GUIDs has a CC between its digits.
  const plain = name.matchAll(/(?<![A-Za-z\d])(?:CC|MLO)(?![A-Za-z\d])/g);
  const plainView = only([...plain].flatMap(({ 0: text, index }) => some(viewOf(text), index)));
  return {
    ...(longSide ? { laterality: longSide.value } : {}),
    ...(plainView ? { view: plainView.value } : {}),
  };
}

/** Names of public datasets, which are no secret and say more than words do. */
const datasets: readonly (readonly [RegExp, (found: Record<string, string>) => NamedIdentity])[] = [
  // mini-MIAS. The note in its Info.txt names the sides the other way round, the marks on the films do not.
  [/^mdb(?<number>\d{3})$/i, ({ number }) => ({
    laterality: Number(number) % 2 ? "L" : "R",
    view: "MLO",
    patient: `mini-MIAS ${Math.ceil(Number(number) / 2)}`,
  })],
  // INbreast: the number of the film, the patient, the side; its ML are oblique films.
  [/^\d{8}_(?<patient>[0-9a-f]{16})_MG_(?<side>[LR])_(?<view>CC|ML|FB)_ANON$/, ({ patient, side, view }) => ({
    laterality: side as Laterality,
    view: view === "ML" ? "MLO" : view as View,
    patient: patient as string,
  })],
  // CBIS-DDSM and DDSM: Calc-Training_P_00005_RIGHT_CC_1, A_0001_1.LEFT_MLO
  [
    /(?<patient>P_\d{5}|[A-D]_\d{4})(?:_\d)?[_.](?<side>LEFT|RIGHT)_(?<view>CC|MLO)/,
    ({ patient, side, view }) => ({
      laterality: side?.[0] as Laterality,
      view: view as View,
      patient: patient as string,
    }),
  ],
];

/** 16 hex digits that stand for a patient named by a file: with the salt they cannot be guessed back. */
export function pseudonymOf(patient: string, salt: Uint8Array): string {
  return createHmac("sha256", salt).update(`file name\0${patient}`).digest("hex").slice(0, 16);
}

/** Views that file names use; other words of DICOM's list (AT, ISO …) are words of their own in a name. */
const views: readonly View[] = ["CC", "MLO", "ML", "LM", "LMO", "XCCL", "XCCM", "XCC"];

function sideOf(word: string): Laterality | undefined {
  if (word === "L" || word === "LEFT") return "L";
  if (word === "R" || word === "RIGHT") return "R";
  const rest = word.slice(1);
  return views.includes(word as View) || !views.includes(rest as View) ? undefined : sideOf(word.slice(0, 1));
}

function viewOf(word: string): View | undefined {
  return views.find((view) => view === word) ??
    (sideOf(word) ? views.find((view) => view === word.slice(1)) : undefined);
}

type Found<T> = { readonly value: T; readonly at: number };

function some<T>(value: T | undefined, at: number): readonly Found<T>[] {
  return value === undefined ? [] : [{ value, at }];
}

/** The one that was found; none where the name says two different things. */
function only<T>(found: readonly Found<T>[]): Found<T> | undefined {
  return found.every(({ value }) => value === found[0]?.value) ? found[0] : undefined;
}
