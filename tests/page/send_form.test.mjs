/* The send form's meaning: what it costs, what is wrong with it, what is sent. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {expiryChoices} from '../../www/lib/site.js';
import {bodyOf, emptyFields, faultOf, fieldOf, idsOf, totalOf} from '../../www/lib/send_form.js';

const fields = (more) => ({...emptyFields(), amount: '8.88', shares: '3', ...more});

test('the first fault is named with its field', () => {
    const faults = [
        [{amount: ''}, 'amount', 'fault.amount'], [{amount: '0'}, 'amount', 'fault.amount'],
        [{amount: '1.234'}, 'amount', 'fault.decimals'], [{shares: ''}, 'shares', 'fault.shares'],
        [{shares: '1.5'}, 'shares', 'fault.shares'], [{amount: '0.02'}, 'amount', 'fault.least'],
        [{mode: 'equal', amount: '9999999999', shares: '9'}, 'amount', 'fault.amount'],
        [{to: 'users', ids: ' , '}, 'ids', 'fault.ids'], [{to: 'group'}, 'ids', 'fault.ids'],
    ];
    for (const [more, field, fault] of faults) {
        assert.deepEqual(faultOf(fields(more)), {field, fault}, JSON.stringify(more));
    }
    assert.equal(faultOf(fields()), null);
    assert.equal(faultOf(fields({amount: '0.03'})), null);
    assert.deepEqual(faultOf(fields({to: 'users', ids: 'ann'})), {field: 'shares', fault: 'fault.shares.people', limit: 1});
    assert.equal(faultOf(fields({to: 'users', ids: 'ann bob carl'})), null);
});

test('an equal envelope costs its share times their number, exactly', () => {
    assert.equal(totalOf(fields()), 888);
    assert.equal(totalOf(fields({mode: 'equal', amount: '0.07', shares: '300'})), 2100);
    assert.equal(totalOf(fields({mode: 'equal', shares: ''})), null);
});

test('what is shown is what is sent', () => {
    assert.deepEqual(bodyOf(fields(), 'Best wishes!'),
        {mode: 'lucky', total: 888, shares: 3, greeting: 'Best wishes!', expires_in: 86400});
    assert.equal(bodyOf(fields({greeting: ' 新年好 '}), 'x').greeting, '新年好');
    assert.deepEqual(bodyOf(fields({to: 'users', ids: 'ann, bob、carl'}), 'x').to, {users: ['ann', 'bob', 'carl']});
    assert.deepEqual(bodyOf(fields({to: 'group', ids: 'family'}), 'x').to, {group: 'family'});
    assert.deepEqual(idsOf('ａｎｎ;bob\nc'), ['ann', 'bob', 'c']);
});

test('a refusal finds its way back to a field', () => {
    assert.equal(fieldOf('total'), 'amount');
    assert.equal(fieldOf('to.users'), 'ids');
    assert.equal(fieldOf('mode'), null);
    assert.equal(fieldOf(undefined), null);
});

test('the limits of the site are told as numbers before anything is sent', () => {
    const limits = {shares_max: 300, share_cap: 20000, greeting_max: 5};
    const fault = (more) => faultOf(fields(more), limits);
    assert.deepEqual(fault({shares: '400'}), {field: 'shares', fault: 'fault.shares.max', limit: 300});
    assert.deepEqual(fault({amount: '200.01', shares: '1'}), {field: 'amount', fault: 'fault.cap', limit: 20000});
    assert.deepEqual(fault({greeting: '一二三四五六'}), {field: 'greeting', fault: 'fault.greeting.max', limit: 5});
    assert.equal(fault({amount: '600', shares: '3', greeting: '一二三四五'}), null);
});

test('times to choose lie within what the site allows, and its default is one of them', () => {
    const site = (limits, defaults = {}) => /** @type {any} */ ({limits, defaults});
    assert.deepEqual(expiryChoices(null), {choices: [3600, 86400, 259200], initial: 86400});
    assert.deepEqual(expiryChoices(site({expires_min: 60, expires_max: 43200})), {choices: [600, 3600, 43200], initial: 43200});
    assert.deepEqual(expiryChoices(site({expires_min: 60, expires_max: 604800}, {expires_in: 7200})).initial, 7200);
});
