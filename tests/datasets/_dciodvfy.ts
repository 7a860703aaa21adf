// deno-lint-ignore-file no-console -- a program of its own
// Prints what dciodvfy (dicom3tools) finds wrong with DICOM files: nothing, "not installed", or its complaints.
for (const file of Deno.args) {
  try {
    const { stderr } = await new Deno.Command("dciodvfy", { args: [file], stdout: "null", stderr: "piped" }).output();
    const lines = new TextDecoder().decode(stderr).split("\n").filter((line) => /error|warning/i.test(line));
    // its defined terms for View Position lack CC and MLO, which files in the wild have and loaders read
    for (const line of lines.filter((line) => !/attribute <View Position>/.test(line))) console.log(line);
  } catch {
    console.log("not installed");
    break;
  }
}
