import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeApi } from '../../../services/gateway/openapi/document.ts';
import { GROUPS } from '../../../services/gateway/routes/routes.ts';
import { apiModule } from './api.ts';

/** Writes src/api.ts anew from what the gateway says of itself; a test says when that has to be done. */
writeFileSync(join(import.meta.dirname, '../src/api.ts'), apiModule(describeApi(GROUPS)));
