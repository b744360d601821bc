import { PRODUCT } from '../../infra/product.ts';
import { runProgram } from '../run-program.ts';
import { auditProgram, mendable } from './program.ts';

await runProgram(auditProgram('webhooks-audit').version(PRODUCT.version), mendable);
