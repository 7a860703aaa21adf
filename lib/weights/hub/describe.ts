import { MammolabError } from "../../base/mod.ts";
import type { RemoteFile } from "./blob.ts";
import { isCommit } from "./cache.ts";
import type { HubName } from "./name.ts";
import { type Connection, persist, request } from "./request.ts";

/** What the hub says of a model at a revision. */
export type RemoteModel = {
  readonly commit: string;
  readonly files: readonly RemoteFile[];
  readonly licence: string | undefined;
};

/** Far more than the hub's longest answers. */
const answerLimit = 20_000_000;

/**
 * Asks the hub which commit a revision is and which files it has, with lengths and hashes
 * (`GET /api/models/owner/name/revision/…?blobs=true`).
 */
export async function describeModel(
  what: string,
  { owner, name, revision }: HubName,
  connection: Connection,
): Promise<RemoteModel> {
  const url = `${connection.endpoint}/api/models/${owner}/${name}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const text = await persist(what, connection, async (watch) => {
    const answer = await request(what, url, connection, watch);
    if (!("value" in answer)) return answer;
    const { body, headers } = answer.value.response;
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let length = 0;
    for await (const chunk of body ?? []) {
      watch.count(chunk.length);
      length += chunk.length;
      if (length > answerLimit) throw strange(what, "its answer is longer than 20 MB");
      parts.push(chunk);
    }
    const announced = headers.get("content-length");
    if (announced !== null && Number(announced) !== length) return { again: "the connection ended early" };
    return { value: await new Blob(parts).text() };
  });
  return parseDescription(what, text);
}

/** Reads the hub's answer. @throws MammolabError when it does not say what is needed */
export function parseDescription(what: string, text: string): RemoteModel {
  let json: { sha?: unknown; siblings?: unknown; cardData?: { license?: unknown } | null; tags?: unknown };
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw strange(what, "its answer is no JSON", cause);
  }
  const { sha, siblings, cardData, tags } = json ?? {};
  if (typeof sha !== "string" || !isCommit(sha) || !Array.isArray(siblings)) {
    throw strange(what, "its answer names no commit or no files");
  }
  const tagged = Array.isArray(tags)
    ? tags.find((tag) => typeof tag === "string" && tag.startsWith("license:"))?.slice(8)
    : undefined;
  const licence = cardData?.license ?? tagged;
  return {
    commit: sha,
    files: siblings.flatMap((one) => fileOf(what, one)),
    licence: typeof licence === "string" ? licence.replace(/[^\w .+-]/g, "").slice(0, 60) || undefined : undefined,
  };
}

/** A file that can be checked. A name with a folder is of no use here. */
function fileOf(what: string, entry: unknown): RemoteFile[] {
  const { rfilename: file, size, blobId, lfs } = (entry ?? {}) as Record<string, unknown>;
  if (typeof file !== "string") throw strange(what, "it names a file without a name");
  if (!/^[\w.-]+$/.test(file)) return [];
  const large = lfs as { sha256?: unknown; oid?: unknown; size?: unknown } | undefined | null;
  const sha256 = large?.sha256 ?? large?.oid;
  const bytes = large?.size ?? size;
  const whole = Number.isSafeInteger(bytes) && (bytes as number) >= 0;
  if (whole && typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256)) {
    return [{ file, bytes: bytes as number, hash: { kind: "sha256", hex: sha256 } }];
  }
  if (whole && !large && typeof blobId === "string" && /^[0-9a-f]{40}$/.test(blobId)) {
    return [{ file, bytes: bytes as number, hash: { kind: "git", hex: blobId } }];
  }
  throw strange(what, `it names no length or hash for ${file}`);
}

function strange(what: string, found: string, cause?: unknown): MammolabError {
  return new MammolabError(`Cannot ${what}: the hub cannot be understood, ${found}; try again later`, { cause });
}
