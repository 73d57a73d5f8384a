{{ staged('syncReceipts', [
    ('runId', 'run_id', 'text'),
    ('collection', 'collection', 'text'),
    ('expected', 'expected', 'whole'),
    ('received', 'received', 'whole'),
    ('complete', 'is_complete', 'yes_no'),
    ('finishedAt', 'finished_at', 'time'),
]) }}
