import { createHmac } from "node:crypto";
import { bytesOf, type DataSet } from "./data_set.ts";
import type { Keyword } from "./attributes.ts";

/** What ties films of one patient, exam or series together without saying whose they are: 16 hex digits each. */
export type Pseudonyms = {
  readonly patient?: string;
  readonly study?: string;
  readonly series?: string;
  readonly instance?: string;
};

/**
 * Hashes the identifiers with a secret salt (HMAC-SHA-256, first 16 hex digits). Without the salt a patient number could be
 * found by trying all numbers, so that without a salt nothing is returned.
 */
export function pseudonymsOf(dataSet: DataSet, salt: Uint8Array | undefined): Pseudonyms {
  if (!salt || salt.length === 0) return {};
  const patient = identifier(dataSet, "PatientID");
  const hashed = (key: "study" | "series" | "instance", keyword: Keyword) => {
    const uid = identifier(dataSet, keyword);
    return uid ? { [key]: pseudonym(salt, [uid]) } : {};
  };
  const issuer = identifier(dataSet, "IssuerOfPatientID") ?? new Uint8Array();
  return {
    ...(patient && !isPlaceholder(patient) ? { patient: pseudonym(salt, [issuer, patient]) } : {}),
    ...hashed("study", "StudyInstanceUID"),
    ...hashed("series", "SeriesInstanceUID"),
    ...hashed("instance", "SOPInstanceUID"),
  };
}

function pseudonym(salt: Uint8Array, parts: readonly Uint8Array[]): string {
  const hmac = createHmac("sha256", salt);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex").slice(0, 16);
}

/** The bytes of an identifier without the spaces and zeros around it; undefined where nothing is left. */
function identifier(dataSet: DataSet, keyword: Keyword): Uint8Array | undefined {
  const bytes = bytesOf(dataSet, keyword);
  if (!bytes) return undefined;
  const isPadding = (byte: number | undefined) => byte === 0x20 || byte === 0;
  let [from, to] = [0, bytes.length];
  while (from < to && isPadding(bytes[from])) from++;
  while (to > from && isPadding(bytes[to - 1])) to--;
  return to > from ? bytes.subarray(from, to) : undefined;
}

/** Numbers that many patients share after somebody removed the real ones: they would become one patient. */
function isPlaceholder(id: Uint8Array): boolean {
  return /^(0+|x+|-+|\?+|none|null|unknown|removed|anon(ym(ous|i[sz]ed)?)?)$/i.test(
    String.fromCharCode(...id.subarray(0, 64)),
  );
}
