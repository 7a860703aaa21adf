// Run without the right to load native code: importing mammolab must not need it.
import * as mammolab from "mammolab";

await Deno.stdout.write(new TextEncoder().encode(`${Object.keys(mammolab).length}\n`));
