import { type Laterality, type View, viewNames } from "../mammogram.ts";
import { codeOf, type DataSet, itemsOf } from "./data_set.ts";
import { groupOf } from "./functional_groups.ts";

/** Further words on how a view was taken: DICOM PS3.16 CID 4015. */
export type ViewModifier =
  | "cleavage"
  | "axillary tail"
  | "rolled lateral"
  | "rolled medial"
  | "rolled inferior"
  | "rolled superior"
  | "implant displaced"
  | "magnification"
  | "spot compression"
  | "tangential"
  | "nipple in profile"
  | "anterior compression"
  | "infra-mammary fold"
  | "axillary tissue";

/** Which breast is shown from where. */
export type ViewFacts = {
  readonly laterality?: Laterality;
  /** The file says that both breasts are in the picture. */
  readonly bilateral: boolean;
  readonly view?: View;
  readonly modifiers: readonly ViewModifier[];
  /** A piece of tissue, not a breast. */
  readonly specimen: boolean;
};

/**
 * Reads side and view. The side: Image Laterality, else Frame Laterality, else Laterality (which is that of the series).
 * The view: the code, else View Position, which newer objects lack and some files leave empty.
 */
export function viewFactsOf(dataSet: DataSet, frame: number): ViewFacts {
  const side = codeOf(dataSet, "ImageLaterality") ||
    codeOf(groupOf(dataSet, frame, "FrameAnatomySequence", "FrameLaterality"), "FrameLaterality") ||
    codeOf(dataSet, "Laterality");
  const item = itemsOf(dataSet, "ViewCodeSequence")[0];
  const code = item ? codeOf(item, "CodeValue") : "";
  const byPosition = positionOf(codeOf(dataSet, "ViewPosition"));
  const view = viewCodes.get(code) ?? byPosition.view;
  const laterality = side === "L" || side === "R" ? side : side === "" ? byPosition.laterality : undefined;
  const modifierItems = item ? itemsOf(item, "ViewModifierCodeSequence").slice(0, 16) : [];
  const modifiers = modifierItems.flatMap((each) => modifierCodes.get(codeOf(each, "CodeValue")) ?? []);
  return {
    ...(laterality ? { laterality } : {}),
    bilateral: side === "B",
    ...(view ? { view } : {}),
    modifiers: [...new Set(modifiers)],
    specimen: specimenCodes.has(code),
  };
}

/** View Position as it is met: `CC`, `mlo`, `RCC`, `LMLO`. `LM` and `LMO` are views and not sides. */
function positionOf(text: string): { readonly view?: View; readonly laterality?: Laterality } {
  const word = text.replace(/[\s_-]+/g, "");
  if (isView(word)) return { view: word };
  const rest = word.slice(1);
  const side = word[0];
  return (side === "L" || side === "R") && isView(rest) ? { view: rest, laterality: side } : {};
}

const isView = (word: string): word is View => (viewNames as readonly string[]).includes(word);

/** PS3.16 CID 4014: SNOMED CT, SRT (which SNM3 shares), and the old wrong SRT codes. The scheme's name is not compared. */
const viewCodes: ReadonlyMap<string, View> = new Map(
  ([
    ["CC", "399162004", "R-10242"],
    ["MLO", "399368009", "R-10226"],
    ["ML", "399260004", "R-10224"],
    ["LM", "399352003", "R-10228"],
    ["LMO", "399099002", "R-10230"],
    ["FB", "399196006", "R-10244"],
    ["SIO", "399188001", "R-102D0"],
    ["ISO", "441555000", "R-40AAA"],
    ["XCC", "399265009"],
    ["XCCL", "399192008", "R-1024A", "Y-X1770"],
    ["XCCM", "399101009", "R-1024B", "Y-X1771"],
  ] as const).flatMap(([view, ...codes]) => codes.map((code) => [code, view] as const)),
);

const specimenCodes: ReadonlySet<string> = new Set(["127457009", "G-8310"]);

/** PS3.16 CID 4015: SNOMED CT, SRT, ACR. */
const modifierCodes: ReadonlyMap<string, ViewModifier> = new Map(
  ([
    ["cleavage", "399161006", "R-102D2", "CV"],
    ["axillary tail", "399011000", "R-102D1", "AT"],
    ["rolled lateral", "399197002", "R-102D3", "RL"],
    ["rolled medial", "399226006", "R-102D4", "RM"],
    ["rolled inferior", "414493004", "R-102CA", "RI"],
    ["rolled superior", "415670009", "R-102C9", "RS"],
    ["implant displaced", "399209000", "R-102D5", "ID"],
    ["magnification", "399163009", "R-102D6", "M"],
    ["spot compression", "399055006", "R-102D7", "S"],
    ["tangential", "399110001", "R-102C2", "TAN"],
    ["nipple in profile", "442581004", "R-40AB3", "NP"],
    ["anterior compression", "441752004", "P2-00161", "AC"],
    ["infra-mammary fold", "442593008", "R-40ABE", "IMF"],
    ["axillary tissue", "442580003", "R-40AB2", "AX"],
  ] as const).flatMap(([modifier, ...codes]) => codes.map((code) => [code, modifier] as const)),
);
