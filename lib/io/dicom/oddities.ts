import { codeOf, type DataSet, itemsOf } from "./data_set.ts";
import type { DicomHeader } from "./header.ts";
import { viewFactsOf } from "./views.ts";

/**
 * What a user should know before a network is fed with this picture: one sentence each, in words of ours.
 */
export function odditiesOf(dataSet: DataSet, header: DicomHeader): readonly string[] {
  const kind = kindOf(dataSet, header);
  const { bilateral } = viewFactsOf(dataSet, 0);
  const has = (word: string) => header.imageType.includes(word);
  const say = (condition: boolean, sentence: string) => condition ? [sentence] : [];
  const modality = header.modality ?? "not one of DICOM's";
  return [
    ...say(kind === "other", `This is no mammogram: its modality is ${modality}`),
    ...say(
      kind === "by view",
      `The modality is ${modality} and not MG, but the breast or a mammographic view is named`,
    ),
    ...say(
      header.presentationIntent === "FOR PROCESSING" || (header.object ?? "").endsWith("for processing"),
      "The picture is FOR PROCESSING: it is close to what the detector measured, and networks expect FOR PRESENTATION",
    ),
    ...say(
      kind !== "other" && !header.laterality,
      bilateral ? "Both breasts are in the picture" : "The file does not say which breast it shows",
    ),
    ...say(kind !== "other" && !header.view, "The file does not say its view"),
    ...say(header.specimen, "The picture shows a specimen and not a breast"),
    ...say(header.implant === true, "The breast has an implant"),
    ...header.viewModifiers.map((modifier) => `The view is modified: ${modifier}`),
    ...say(header.partialView, "The picture shows a part of the breast, other parts are in other files"),
    ...say(
      kind !== "other" && (header.magnification ?? 1) > 1.3,
      "The view is magnified: lengths at the detector are not lengths in the breast",
    ),
    ...say(
      ["STEREO", "STEREO_SCOUT", "STEREO_MINUS", "STEREO_PLUS"].some(has),
      "The picture is a stereotactic one, of a biopsy and not of screening",
    ),
    ...say(
      has("GENERATED_2D"),
      "The picture was computed from tomosynthesis; an exposed one of the same view may be beside it",
    ),
    ...say(has("TOMO") || has("TOMOSYNTHESIS"), "The picture is a slice of tomosynthesis"),
    ...say(
      ["LOW_ENERGY", "HIGH_ENERGY", "SUBTRACTION", "RECOMBINED"].some(has),
      "The picture is of contrast mammography",
    ),
    ...say(header.qualityControl, "The picture is of quality control and shows a test object"),
    ...burnedIn(header),
  ];
}

function burnedIn({ burnedInAnnotation, object = "" }: DicomHeader): readonly string[] {
  if (burnedInAnnotation) return ["Text may be burned into the pixels: the file says so"];
  const captured = object.startsWith("secondary capture") || object === "computed radiography";
  return burnedInAnnotation === undefined && captured
    ? ["Text may be burned into the pixels: the file does not say that there is none"]
    : [];
}

function kindOf(dataSet: DataSet, { modality, object = "", view }: DicomHeader): "mammogram" | "by view" | "other" {
  if (modality === "MG" || object.startsWith("mammography") || object.startsWith("breast")) return "mammogram";
  const breast = codeOf(dataSet, "BodyPartExamined") === "BREAST";
  // LM, ML, AT and CV are views of other body parts too: without the breast only a code counts.
  return breast || (view && itemsOf(dataSet, "ViewCodeSequence").length > 0) ? "by view" : "other";
}
