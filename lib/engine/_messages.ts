// What the two sides of a session say to each other.
import type { BlockingSessionOptions, Provider } from "./native.ts";
import type { ProviderCheck } from "./provider.ts";
import type { EngineTensor, Port } from "./tensor.ts";

export type Request =
  | { readonly kind: "open"; readonly options: BlockingSessionOptions; readonly mustBeFaster: boolean }
  | { readonly kind: "check"; readonly provider: Provider }
  | {
    readonly kind: "run";
    readonly feeds: Readonly<Record<string, EngineTensor>>;
    readonly fetch?: readonly string[];
    readonly into?: Readonly<Record<string, EngineTensor>>;
    /** Set to 1 by the caller's side: a call that still waits is dropped. Shared memory, for a busy Worker hears no message. */
    readonly cancelled?: Int32Array;
  }
  | { readonly kind: "close" };

/** What each request is answered with. */
export type Results = {
  readonly open:
    | { readonly inputs: readonly Port[]; readonly outputs: readonly Port[] }
    | ProviderCheck & { works: false };
  readonly check: ProviderCheck;
  readonly run: { readonly outputs: Readonly<Record<string, EngineTensor>>; readonly seconds: number } | "cancelled";
  readonly close: undefined;
};

export type Call = Request & { readonly id: number };

export type Answer =
  | { readonly id: number; readonly result: Results[Request["kind"]] }
  | { readonly id: number; readonly error: { readonly sentence: string; readonly cause?: string } };
