package ferrisstreams.bench;

/** What is kept for each key: how many orders, and what they came to. */
public final class Sum {
    public long n;
    public double sum;

    Sum add(Order order) {
        n += 1;
        sum += order.price * order.quantity;
        return this;
    }
}
