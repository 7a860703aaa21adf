import { type DataSet, elementOf, itemsOf } from "./data_set.ts";
import type { Keyword } from "./attributes.ts";

/**
 * Where an attribute of a frame stands (DICOM PS3.3 C.7.6.16): in the functional groups of that frame, else in those that
 * all frames share, else at the top level, as in files of one frame.
 */
export function groupOf(dataSet: DataSet, frame: number, sequence: Keyword, keyword: Keyword): DataSet {
  const perFrame = itemsOf(dataSet, "PerFrameFunctionalGroupsSequence")[frame];
  const shared = itemsOf(dataSet, "SharedFunctionalGroupsSequence")[0];
  for (const group of [perFrame, shared]) {
    const item = group && itemsOf(group, sequence)[0];
    if (item && elementOf(item, keyword)) return item;
  }
  return dataSet;
}
