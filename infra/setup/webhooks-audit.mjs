#!/usr/bin/env node
// The command line `webhooks-audit`, after all that it needs: `npx webhooks-audit` from the checkout.
process.argv.splice(2, 0, 'services/audit/main.ts');
await import('./run.mjs');
