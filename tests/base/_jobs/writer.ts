// A Worker that writes the file that it is told, and says which name that had until it was whole.
import { disk, writeFileAtomic } from "mammolab/base";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<string>) => void;
  postMessage: (message: string) => void;
};

scope.onmessage = async ({ data: path }) => {
  let temporary = "";
  const open = (name: string) => disk.open(temporary = name);
  await writeFileAtomic(path, "whole", { fileSystem: { ...disk, open } });
  scope.postMessage(temporary);
};
