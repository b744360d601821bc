import { auditProgram, mendable as mendableAudit } from './audit/program.ts';
import { mendable, program } from './command/program.ts';
import { runProgram } from './run-program.ts';

/** The command line `webhooks`: for users of the service, and for those who run it. */
await runProgram(program().addCommand(auditProgram('audit')), (error) => mendable(error) ?? mendableAudit(error));
