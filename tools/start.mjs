// `npm start`: set-up, then the launcher in this same process.
import { build, checkNode, installDependencies } from './set-up.mjs';

checkNode();
await installDependencies();
await build();
const { launch } = await import('../dist/launcher.js');
process.exit(await launch(process.argv.slice(2)));
