-- Of several runs on a day, the last one.
with receipts as (
    select
        collection,
        {{ local_date('finished_at') }} as day,
        expected,
        received,
        is_complete,
        row_number() over (
            partition by collection, {{ local_date('finished_at') }}
            order by finished_at desc, run_id
        ) as place
    from {{ ref('stg_oneroster__sync_receipts') }}
    where collection is not null and finished_at is not null
)

select
    collection,
    day,
    expected as promised,
    received as arrived,
    is_complete as complete
from receipts
where place = 1
