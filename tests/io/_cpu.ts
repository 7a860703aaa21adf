import { cpuUsage } from "node:process";

/** Seconds of processor time that this process has used: a bound on it holds on a busy machine too. */
export function cpuSeconds(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1e6;
}
