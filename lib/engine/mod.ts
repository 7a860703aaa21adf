/** Runs graphs: ONNX Runtime in Workers, on the processor or a graphics card. The only room that knows native code. @module */
export {
  openSession,
  type ProviderChoice,
  type RunOptions,
  type RunResult,
  type Session,
  type SessionOptions,
} from "./session.ts";
export {
  type BlockingRunOptions,
  type BlockingSession,
  type BlockingSessionOptions,
  openBlockingSession,
  type Provider,
} from "./native.ts";
export { fastestFirst, type ProviderCheck, tryProviders } from "./provider.ts";
export type { EngineTensor, Port, TensorData } from "./tensor.ts";
export {
  openTfjs,
  type Tfjs,
  type TfjsCheck,
  type TfjsOptions,
  type TfjsPackage,
  tfjsPackages,
  tryTfjs,
} from "./tfjs.ts";
