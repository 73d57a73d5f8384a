-- The first day and the end (exclusive) of the classes of a school in a year.
select
    classes.school_id,
    terms.year_id,
    min(terms.begin_date) as begin_date,
    max(terms.end_date) as end_date
from {{ ref('bridge_class_term') }} as terms
inner join {{ ref('dim_class') }} as classes on terms.class_id = classes.class_id
where terms.year_id is not null
group by classes.school_id, terms.year_id
