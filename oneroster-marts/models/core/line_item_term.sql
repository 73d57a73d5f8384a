-- The term of a line item: the one of its class's terms in which its session lies; else the one in which it is due; of
-- several, the one that ends first. A class without terms has the term `none`.
with found as (
    select
        items.line_item_id,
        items.class_id,
        terms.term_id,
        row_number() over (
            partition by items.line_item_id
            order by
                case when above.above_id is not null then 0 else 1 end,
                above.steps,
                terms.end_date,
                terms.term_id
        ) as place
    from {{ ref('stg_oneroster__line_items') }} as items
    inner join {{ ref('bridge_class_term') }} as terms on items.class_id = terms.class_id
    left join {{ ref('bridge_session_above') }} as above
        on items.session_id = above.session_id and terms.term_id = above.above_id
    where
        above.above_id is not null
        or terms.term_id = 'none'
        or {{ is_current('items.due_date', 'terms.begin_date', 'terms.end_date') }}
)

select
    line_item_id,
    class_id,
    term_id
from found
where place = 1
