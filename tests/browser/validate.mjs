/* Says what is wrong with the markup of pages as the browser holds them.
 *   node validate.mjs DIRECTORY      where html-validate is installed
 * Reads pages from standard input, each a line of JSON, a string; answers each with a line of JSON, a list of
 * sentences. */
import {createRequire} from 'node:module';
import {createInterface} from 'node:readline';

const {HtmlValidate} = createRequire(process.argv[2] + '/')('html-validate');
/* "browser" is for what the browser decides when it writes down what it holds. */
const validator = new HtmlValidate({
    root: true,
    extends: ['html-validate:recommended', 'html-validate:document', 'html-validate:browser'],
    rules: {'require-sri': ['error', {target: 'crossorigin'}]},
});

for await (const line of createInterface({input: process.stdin})) {
    const {results} = validator.validateStringSync(JSON.parse(line));
    const sentences = results.flatMap((result) => result.messages)
        .map(({ruleId, message, selector}) => `${ruleId}: ${message} (${selector})`);
    process.stdout.write(JSON.stringify(sentences) + '\n');
}
