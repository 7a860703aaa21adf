import { bytesOf, codeOf, type DataSet, itemsOf, numbersOf, textsOf } from "./data_set.ts";
import { groupOf } from "./functional_groups.ts";
import { type Lut, readLut } from "./lut.ts";
import { refuse } from "./refuse.ts";
import { isUsable, type VoiFunction, voiFunctions, type VoiWindow } from "./voi.ts";

/**
 * Which of a file's display settings to show: the n-th window (from 1), `"lut"` or `"lut 2"` for a VOI LUT, a setting by its
 * name in the file (`"HARDER"`), `"range"` for all possible values, or a window of one's own.
 */
export type VoiChoice = number | string | (VoiWindow & { readonly function?: VoiFunction });

/** A window that a file offers. */
export type NamedWindow = VoiWindow & { readonly name?: string; readonly function: VoiFunction };

/** A VOI LUT that a file offers. */
export type NamedLut = { readonly name?: string; readonly lut: Lut };

/** All that a file offers for showing one frame; what cannot be used is left out, and said. */
export type VoiOffer = {
  /** By position in the file; undefined where a window cannot be used. */
  readonly windows: readonly (NamedWindow | undefined)[];
  readonly luts: readonly (NamedLut | undefined)[];
  readonly warnings: readonly string[];
};

/** What was chosen; `range` where a file offers nothing. */
export type Voi =
  | { readonly kind: "lut"; readonly number: number; readonly lut: NamedLut }
  | { readonly kind: "window"; readonly number?: number; readonly window: NamedWindow }
  | { readonly kind: "range" };

/** Reads the windows and VOI LUTs of a frame (DICOM PS3.3 C.11.2; in tomosynthesis C.7.6.16.2.10). */
export function voiOffer(dataSet: DataSet, frame: number, signedInput: boolean): VoiOffer {
  const where = (keyword: "WindowCenter" | "WindowWidth" | "VOILUTFunction" | "WindowCenterWidthExplanation") =>
    groupOf(dataSet, frame, "FrameVOILUTSequence", keyword);
  const warnings: string[] = [];
  const named = codeOf(where("VOILUTFunction"), "VOILUTFunction");
  const known = isVoiFunction(named);
  if (named !== "" && !known) warnings.push("The VOI LUT Function is none of the standard's; LINEAR was taken");
  const voiFunction: VoiFunction = known ? named : "LINEAR";

  const centers = numbersOf(where("WindowCenter"), "WindowCenter");
  const widths = numbersOf(where("WindowWidth"), "WindowWidth");
  const explanations = textsOf(where("WindowCenterWidthExplanation"), "WindowCenterWidthExplanation");
  // One empty value is how files say that there is no window.
  const none = !bytesOf(where("WindowCenter"), "WindowCenter") ||
    textsOf(where("WindowCenter"), "WindowCenter")[0] === "";
  const windows = none ? [] : centers.map((center, i) => {
    const window = { center, width: widths[i] ?? NaN };
    if (isUsable(window, voiFunction)) return { ...window, ...nameOf(explanations[i]), function: voiFunction };
    warnings.push(`Window ${i + 1} is not usable and was ignored`);
    return undefined;
  });

  const items = itemsOf(groupOf(dataSet, frame, "FrameVOILUTSequence", "VOILUTSequence"), "VOILUTSequence");
  const luts = items.slice(0, 64).map((item, i) => {
    const lut = readLut(item, signedInput);
    if (lut) return { ...nameOf(textsOf(item, "LUTExplanation")[0]), lut };
    warnings.push(`VOI LUT ${i + 1} is shorter than it says and was not used`);
    return undefined;
  });
  return { windows, luts, warnings };
}

/**
 * Chooses among what a file offers. Without a choice: the first VOI LUT, else the first window, else all possible values;
 * LUT and window are alternatives and never both (PS3.3 C.11.2.1).
 *
 * @throws MammolabError when the file does not offer what was chosen
 */
export function chooseVoi(offer: VoiOffer, choice: VoiChoice | undefined): Voi {
  const { windows, luts } = offer;
  if (choice === undefined) {
    const lut = luts.findIndex((each) => each !== undefined);
    if (lut >= 0) return { kind: "lut", number: lut + 1, lut: luts[lut] as NamedLut };
    // Only the first window counts: the second of a file whose first is broken was never meant to be seen first.
    const window = windows[0];
    return window ? { kind: "window", number: 1, window } : { kind: "range" };
  }
  if (typeof choice === "object") {
    const window = { center: choice.center, width: choice.width, function: choice.function ?? "LINEAR" } as const;
    if (isVoiFunction(window.function) && isUsable(window, window.function)) return { kind: "window", window };
    refuse(
      `the window that was asked for has no center, no width above zero, or a function that is none of ${
        Object.keys(voiFunctions).join(", ")
      }; give them in the values of the file`,
    );
  }
  if (choice === "range") return { kind: "range" };
  const window = typeof choice === "number" ? windows[choice - 1] : undefined;
  if (window) return { kind: "window", number: choice as number, window };
  const asked = String(choice).trim().toUpperCase();
  const lutNumber = /^LUT(?: (\d{1,2}))?$/.exec(asked);
  const lutAt = lutNumber ? Number(lutNumber[1] ?? 1) - 1 : luts.findIndex((each) => each?.name === asked);
  const lut = typeof choice === "string" ? luts[lutAt] : undefined;
  if (lut) return { kind: "lut", number: lutAt + 1, lut };
  const windowNumber = /^WINDOW (\d{1,2})$/.exec(asked);
  const windowAt = windowNumber ? Number(windowNumber[1]) - 1 : windows.findIndex((each) => each?.name === asked);
  const byName = typeof choice === "string" ? windows[windowAt] : undefined;
  if (byName) return { kind: "window", number: windowAt + 1, window: byName };
  return refuse(`it has no display setting ${JSON.stringify(choice)}; ${offered(offer)}`);
}

function offered({ windows, luts }: VoiOffer): string {
  const list = (what: string, items: readonly ({ readonly name?: string } | undefined)[]) =>
    items.flatMap((each, i) => each ? [`${what} ${i + 1}${each.name ? ` (${each.name})` : ""}`] : []);
  const all = [...list("window", windows), ...list("lut", luts)].slice(0, 8);
  return all.length > 0 ? `choose one of ${all.join(", ")}` : "it has none, leave the choice out";
}

const isVoiFunction = (name: string): name is VoiFunction => Object.hasOwn(voiFunctions, name);

/** Explanations are free text, which may hold anything: only words that say how a film looks are let through. */
function nameOf(explanation: string | undefined): { readonly name?: string } {
  const name = explanation?.toUpperCase() ?? "";
  return lookNames.has(name) ? { name } : {};
}

const lookNames: ReadonlySet<string> = new Set(
  "NORMAL HARDER SOFTER HARD SOFT DEFAULT STANDARD LINEAR SIGMOID SHARP SMOOTH BRIGHT DARK HIGH LOW MEDIUM".split(" "),
);
