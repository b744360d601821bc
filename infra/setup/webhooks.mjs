#!/usr/bin/env node
// The command line `webhooks`, after all that it needs: `npx webhooks` from the checkout.
process.argv.splice(2, 0, 'services/command-line.ts');
await import('./run.mjs');
