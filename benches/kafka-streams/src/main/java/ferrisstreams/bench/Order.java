package ferrisstreams.bench;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What is read, and written again by the jobs that keep whole records. */
public final class Order {
    @JsonProperty("order_id")
    public long orderId;

    @JsonProperty("user_id")
    public String userId;

    public String product;
    public double price;
    public int quantity;
    public long ts;
    public String status;
    public String region;
    public String note;
}
