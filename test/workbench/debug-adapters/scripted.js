// A debug adapter that debugs nothing, for what real ones do seldom: its program lives on another machine, its launch fails, it
// never answers, it ends in the middle. The argument is JSON: {process?: body of the process event, fails?: message, silent?: true, dies?: true}.
const how = JSON.parse(process.argv[2]);
let seq = 0;
let rest = Buffer.alloc(0);

function send(message) {
  const body = Buffer.from(JSON.stringify({ seq: ++seq, ...message }));
  process.stdout.write(`Content-Length: ${body.length}\r\n\r\n`);
  process.stdout.write(body);
}

function answer({ seq: request_seq, command }) {
  const reply = (body, failure) => send({ type: 'response', request_seq, command, success: failure === undefined, ...(failure === undefined ? { body } : { message: failure }) });
  const event = (name, body) => send({ type: 'event', event: name, body });
  switch (command) {
    case 'initialize':
      reply({ supportsConfigurationDoneRequest: true });
      return event('initialized');
    case 'launch':
    case 'attach':
      reply({}, how.fails);
      return how.fails === undefined ? undefined : event('terminated');
    case 'configurationDone':
      reply({});
      if (how.process) event('process', how.process);
      return event('stopped', { reason: 'pause', threadId: 1, allThreadsStopped: true });
    case 'disconnect':
    case 'terminate':
      reply({});
      return setTimeout(() => process.exit(), 50);
    default:
      if (how.dies) process.exit(3);
      if (!how.silent) reply(command === 'threads' ? { threads: [] } : {});
  }
}

process.stdin.on('data', data => {
  rest = Buffer.concat([rest, data]);
  for (;;) {
    const head = rest.indexOf('\r\n\r\n');
    const length = Number(/Content-Length: (\d+)/i.exec(rest.subarray(0, Math.max(head, 0)).toString())?.[1]);
    if (head < 0 || rest.length < head + 4 + length) return;
    const message = JSON.parse(rest.subarray(head + 4, head + 4 + length).toString());
    rest = rest.subarray(head + 4 + length);
    if (message.type === 'request') answer(message);
  }
});
process.stdin.on('end', () => process.exit());
