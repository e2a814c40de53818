// Entry of dist/askpass.js, which sudo runs to get a password: asks the extension through the private socket, prints the answer.
// No answer (the user cancelled, the extension is gone): nothing printed and exit status 1, which ends sudo.
import { connect } from 'node:net';
import { answerMark } from './askpass';

const [socketPath = '', prompt = ''] = process.argv.slice(2);
const chunks: Buffer[] = [];
const socket = connect(socketPath);
socket.on('error', () => { process.exitCode = 1; });
socket.on('data', (chunk: Buffer) => chunks.push(chunk));
socket.on('end', () => {
  const answer = Buffer.concat(chunks).toString('utf8');
  if (answer.startsWith(answerMark)) process.stdout.write(`${answer.slice(answerMark.length)}\n`);
  else process.exitCode = 1;
});
// Half closed: the question is complete, the answer may come.
socket.end(prompt.slice(0, 1000));
