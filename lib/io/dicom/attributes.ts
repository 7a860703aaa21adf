/**
 * The attributes that are read from a DICOM file, and no others (PS3.6, keyword → tag and value representation).
 *
 * The parser keeps what stands here and steps over everything else, so that names, dates, free text, private groups,
 * overlays and curves are never even read. Patient ID, its issuer and the UIDs are read to be hashed (identity.ts).
 */
export const attributes = {
  TransferSyntaxUID: [0x0002_0010, "UI"],
  ImageType: [0x0008_0008, "CS"],
  SOPClassUID: [0x0008_0016, "UI"],
  SOPInstanceUID: [0x0008_0018, "UI"],
  Modality: [0x0008_0060, "CS"],
  PresentationIntentType: [0x0008_0068, "CS"],
  Manufacturer: [0x0008_0070, "LO"],
  CodeValue: [0x0008_0100, "SH"],
  PatientID: [0x0010_0020, "LO"],
  IssuerOfPatientID: [0x0010_0021, "LO"],
  PatientSex: [0x0010_0040, "CS"],
  PatientAge: [0x0010_1010, "AS"],
  BodyPartExamined: [0x0018_0015, "CS"],
  KVP: [0x0018_0060, "DS"],
  SpatialResolution: [0x0018_1050, "DS"],
  DistanceSourceToDetector: [0x0018_1110, "DS"],
  DistanceSourceToPatient: [0x0018_1111, "DS"],
  EstimatedRadiographicMagnificationFactor: [0x0018_1114, "DS"],
  ExposureInuAs: [0x0018_1153, "IS"],
  ImagerPixelSpacing: [0x0018_1164, "DS"],
  AnodeTargetMaterial: [0x0018_1191, "CS"],
  BodyPartThickness: [0x0018_11a0, "DS"],
  CompressionForce: [0x0018_11a2, "DS"],
  PositionerPrimaryAngle: [0x0018_1510, "DS"],
  NominalScannedPixelSpacing: [0x0018_2010, "DS"],
  ViewPosition: [0x0018_5101, "CS"],
  FilterMaterial: [0x0018_7050, "CS"],
  StudyInstanceUID: [0x0020_000d, "UI"],
  SeriesInstanceUID: [0x0020_000e, "UI"],
  PatientOrientation: [0x0020_0020, "CS"],
  Laterality: [0x0020_0060, "CS"],
  ImageLaterality: [0x0020_0062, "CS"],
  FrameAnatomySequence: [0x0020_9071, "SQ"],
  FrameLaterality: [0x0020_9072, "CS"],
  SamplesPerPixel: [0x0028_0002, "US"],
  PhotometricInterpretation: [0x0028_0004, "CS"],
  NumberOfFrames: [0x0028_0008, "IS"],
  Rows: [0x0028_0010, "US"],
  Columns: [0x0028_0011, "US"],
  PixelSpacing: [0x0028_0030, "DS"],
  BitsAllocated: [0x0028_0100, "US"],
  BitsStored: [0x0028_0101, "US"],
  HighBit: [0x0028_0102, "US"],
  PixelRepresentation: [0x0028_0103, "US"],
  PixelPaddingValue: [0x0028_0120, "US"],
  PixelPaddingRangeLimit: [0x0028_0121, "US"],
  QualityControlImage: [0x0028_0300, "CS"],
  BurnedInAnnotation: [0x0028_0301, "CS"],
  WindowCenter: [0x0028_1050, "DS"],
  WindowWidth: [0x0028_1051, "DS"],
  RescaleIntercept: [0x0028_1052, "DS"],
  RescaleSlope: [0x0028_1053, "DS"],
  WindowCenterWidthExplanation: [0x0028_1055, "LO"],
  VOILUTFunction: [0x0028_1056, "CS"],
  BreastImplantPresent: [0x0028_1300, "CS"],
  PartialView: [0x0028_1350, "CS"],
  LossyImageCompression: [0x0028_2110, "CS"],
  ModalityLUTSequence: [0x0028_3000, "SQ"],
  LUTDescriptor: [0x0028_3002, "US"],
  LUTExplanation: [0x0028_3003, "LO"],
  LUTData: [0x0028_3006, "OW"],
  VOILUTSequence: [0x0028_3010, "SQ"],
  PixelMeasuresSequence: [0x0028_9110, "SQ"],
  FrameVOILUTSequence: [0x0028_9132, "SQ"],
  PixelValueTransformationSequence: [0x0028_9145, "SQ"],
  OrganDose: [0x0040_0316, "DS"],
  ViewCodeSequence: [0x0054_0220, "SQ"],
  ViewModifierCodeSequence: [0x0054_0222, "SQ"],
  PresentationLUTShape: [0x2050_0020, "CS"],
  SharedFunctionalGroupsSequence: [0x5200_9229, "SQ"],
  PerFrameFunctionalGroupsSequence: [0x5200_9230, "SQ"],
} as const satisfies Readonly<Record<string, readonly [tag: number, vr: string]>>;

/** Keyword of an attribute that is read. */
export type Keyword = keyof typeof attributes;

/** Tag → value representation, for files that do not say it (implicit VR). */
export const representationOf: ReadonlyMap<number, string> = new Map(Object.values(attributes));

/** A tag as the standard prints it. It names an attribute, never a value. */
export function tagText(tag: number): string {
  const hex = tag.toString(16).padStart(8, "0").toUpperCase();
  return `(${hex.slice(0, 4)},${hex.slice(4)})`;
}
